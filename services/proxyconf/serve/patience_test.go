package serve

import (
	"testing"
	"time"
)

func TestPatience(t *testing.T) {
	var p patience
	start := time.Now()
	at := start.Add
	steps := []struct {
		after   time.Duration
		missing string
		again   bool
		next    time.Duration
	}{
		{0, "", false, 0},
		{0, "a b", false, firstTry},
		{firstTry - time.Second, "a b", false, time.Second},
		{firstTry - time.Second, "b", false, firstTry}, // one came
		{2*firstTry - time.Second, "b", true, 2 * firstTry},
		{2 * firstTry, "b", false, 2*firstTry - time.Second},
		{4*firstTry - time.Second, "b", true, 4 * firstTry},
		{5 * firstTry, "", false, 0},
	}
	for i, s := range steps {
		again, next := p.due(at(s.after), s.missing)
		if again != s.again || next != s.next {
			t.Errorf("step %d: again %t in %s, want %t in %s", i, again, next, s.again, s.next)
		}
	}
}

func TestPatienceHasAnEnd(t *testing.T) {
	var p patience
	now := time.Now()
	p.due(now, "a")
	for range 30 {
		now = now.Add(mostTry)
		if again, next := p.due(now, "a"); !again || next > mostTry {
			t.Fatalf("again %t in %s", again, next)
		}
	}
	p.hurry()
	if again, _ := p.due(now, "a"); !again {
		t.Error("hurry does not hurry")
	}
}
