package serve

import (
	"fmt"
	"slices"
	"testing"
)

func names(from, to int) []string {
	var out []string
	for i := from; i < to; i++ {
		out = append(out, fmt.Sprintf("h%03d", i))
	}
	return out
}

func ordered(o *Orders, hosts []string) []string {
	return slices.DeleteFunc(slices.Clone(hosts), func(h string) bool { return !o.Ordered(h) })
}

func TestOrdersAreLetInByTheDozen(t *testing.T) {
	o, all := NewOrders(), names(0, 100)
	if !o.Fill(nil, all) {
		t.Error("the first turn is no news")
	}
	if got := ordered(o, all); !slices.Equal(got, all[:ordersAtOnce]) {
		t.Errorf("first turn: %v", got)
	}
	if o.Fill(nil, all) {
		t.Error("news although nothing happened")
	}
	few := ordersAtOnce/2 - 1
	o.Fill(all[:few], all[few:])
	if got := ordered(o, all); !slices.Equal(got, all[:ordersAtOnce]) {
		t.Errorf("with most orders under way: %v", got)
	}
	half := ordersAtOnce / 2
	if !o.Fill(all[:half], all[half:]) {
		t.Error("the second turn is no news")
	}
	if got := ordered(o, all); !slices.Equal(got, all[:half+ordersAtOnce]) {
		t.Errorf("second turn: %v", got)
	}
}

func TestFailedOrdersKeepNobodyWaiting(t *testing.T) {
	o, all := NewOrders(), names(0, ordersAtOnce+5)
	o.Fill(nil, all)
	o.Fail()
	o.Fill(nil, all)
	got := ordered(o, all)
	if want := append(slices.Clone(all[:ordersAtOnce-5]), all[ordersAtOnce:]...); !slices.Equal(got, want) {
		t.Errorf("after a failure: %v\nwant %v", got, want)
	}
}

func TestGoneHostsLeaveTheQueue(t *testing.T) {
	o, all := NewOrders(), names(0, 3)
	o.Fill(nil, all)
	if !o.Fill(all[:1], all[1:2]) {
		t.Error("a host that is gone is no news")
	}
	if got := ordered(o, all); !slices.Equal(got, all[:2]) {
		t.Errorf("got %v", got)
	}
}
