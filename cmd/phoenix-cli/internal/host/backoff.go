package host

import "time"

const (
	// firstDelay is how long a unit stays down when it ended for the first time.
	firstDelay = 100 * time.Millisecond
	// maxDelay is how long it stays down at most.
	maxDelay = 10 * time.Second
	// steadyAfter is how long a process must run for its end to count as the
	// first again.
	steadyAfter = 10 * time.Second
	// failedAfter is how many ends in a row make a unit failed.
	failedAfter = 3
)

// delay returns how long to wait after that many ends in a row.
func delay(failures int) time.Duration {
	d := firstDelay
	for range failures - 1 {
		d *= 2
		if d >= maxDelay {
			return maxDelay
		}
	}
	return d
}
