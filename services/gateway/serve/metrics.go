package serve

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/services/gateway/ledger"
)

// metrics is what the gateway counts.
type metrics struct {
	took prometheus.Histogram
}

func newMetrics(registry prometheus.Registerer, book *ledger.Ledger) *metrics {
	m := &metrics{took: prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "phoenix_gateway_served_seconds", Help: "Time from gateway.certificate to the handshake that showed its serial.",
		Buckets: prometheus.ExponentialBuckets(0.005, 2, 14),
	})}
	registry.MustRegister(m.took, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "phoenix_gateway_first_expiry_timestamp_seconds", Help: "When the first of the served certificates ends; 0 without any.",
	}, func() float64 { return firstExpiry(book.State()) }))
	for _, state := range []events.State{events.StateReady, events.StateDegraded, events.StateFailed} {
		registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "phoenix_gateway_hosts", Help: "Hosts by state.", ConstLabels: prometheus.Labels{"state": string(state)},
		}, func() float64 { return float64(count(book.State(), state)) }))
	}
	return m
}

// placed notes that a wish was fulfilled.
func (m *metrics) placed(w ledger.Wish) { m.took.Observe(time.Since(w.Said).Seconds()) }

func firstExpiry(s ledger.State) float64 {
	var first time.Time
	for _, h := range s.Hosts {
		if h.Serial != "" && (first.IsZero() || h.NotAfter.Before(first)) {
			first = h.NotAfter
		}
	}
	if first.IsZero() {
		return 0
	}
	return float64(first.Unix())
}

func count(s ledger.State, state events.State) (n int) {
	for _, h := range s.Hosts {
		if h.State == state {
			n++
		}
	}
	return n
}
