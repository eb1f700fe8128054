package serve

import (
	"cmp"
	"maps"
	"slices"
	"sync"
)

// ordersAtOnce is how many certificates Traefik is made to order at a time. Each
// order has it make an RSA key and apply its whole configuration several times;
// with hundreds at once, the CA's challenges time out while it is busy, and
// nothing comes to an end.
const ordersAtOnce = 32

// Orders decides which hosts' certificates Traefik orders now. The others wait
// for their turn. A host whose order fails goes to the end of the queue, so it
// keeps nobody from his.
type Orders struct {
	mu    sync.Mutex
	have  map[string]struct{} // hosts with a certificate
	turns map[string]int      // host without one → how often its order has failed
	now   map[string]struct{} // hosts whose turn it is
}

// NewOrders returns an empty queue.
func NewOrders() *Orders {
	return &Orders{have: map[string]struct{}{}, turns: map[string]int{}, now: map[string]struct{}{}}
}

// Ordered says whether Traefik shall be told to have a certificate for the host.
func (o *Orders) Ordered(host string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	_, has := o.have[host]
	_, turn := o.now[host]
	return has || turn
}

// Fill brings the queue in line with the hosts that have a certificate and those
// that lack one, in the order in which they came. It says whether it is the turn
// of others now.
func (o *Orders) Fill(have, missing []string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.have = map[string]struct{}{}
	for _, host := range have {
		o.have[host] = struct{}{}
	}
	turns := make(map[string]int, len(missing))
	for _, host := range missing {
		turns[host] = o.turns[host]
	}
	o.turns = turns
	return o.choose(missing)
}

// Fail says that the orders under way came to nothing.
func (o *Orders) Fail() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for host := range o.now {
		o.turns[host]++
	}
	o.now = map[string]struct{}{}
}

// choose gives the turn to those that failed least, in the order given. Whoever
// has it keeps it. Others are let in by the dozen, as each change of the turn has
// Traefik read its configuration again.
func (o *Orders) choose(missing []string) bool {
	former := o.now
	o.now = map[string]struct{}{}
	for _, host := range missing {
		if _, ok := former[host]; ok {
			o.now[host] = struct{}{}
		}
	}
	if len(o.now) > ordersAtOnce/2 {
		return !maps.Equal(former, o.now)
	}
	queue := slices.Clone(missing)
	slices.SortStableFunc(queue, func(a, b string) int { return cmp.Compare(o.turns[a], o.turns[b]) })
	for _, host := range queue {
		if len(o.now) >= ordersAtOnce {
			break
		}
		o.now[host] = struct{}{}
	}
	return !maps.Equal(former, o.now)
}
