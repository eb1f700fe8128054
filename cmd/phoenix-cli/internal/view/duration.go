package view

import (
	"fmt"
	"time"
)

// Duration renders d as people say it: 0.4s, 12s, 3m20s, 5h10m, 12d.
func Duration(d time.Duration) string {
	switch {
	case d < 0:
		return "-" + Duration(-d)
	case d < 10*time.Second:
		return fmt.Sprintf("%.1fs", d.Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%.0fs", d.Truncate(time.Second).Seconds())
	case d < time.Hour:
		return parts(d, time.Minute, "m", time.Second, "s")
	case d < 48*time.Hour:
		return parts(d, time.Hour, "h", time.Minute, "m")
	}
	return fmt.Sprintf("%dd", d/(24*time.Hour))
}

func parts(d, big time.Duration, bigUnit string, small time.Duration, smallUnit string) string {
	if d%big < small {
		return fmt.Sprintf("%d%s", d/big, bigUnit)
	}
	return fmt.Sprintf("%d%s%d%s", d/big, bigUnit, d%big/small, smallUnit)
}
