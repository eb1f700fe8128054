package service

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/phoenix-platform/phoenix/pkg/events"
)

// metrics is the service's registry with what all services count.
type metrics struct {
	registry *prometheus.Registry
	handled  *prometheus.CounterVec
	took     *prometheus.HistogramVec
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		handled: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "phoenix_events_total", Help: "Deliveries settled, by subject and fate (handled, delayed, dead).",
		}, []string{"subject", "fate", "redelivered"}),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "phoenix_event_handling_seconds", Help: "Time from delivery to settlement.",
			Buckets: prometheus.ExponentialBuckets(0.001, 4, 8),
		}, []string{"subject"}),
	}
	m.registry.MustRegister(m.handled, m.took, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) observe(o events.Outcome) {
	m.handled.WithLabelValues(o.Subject, string(o.Fate), strconv.FormatBool(o.Redelivered)).Inc()
	m.took.WithLabelValues(o.Subject).Observe(o.Took.Seconds())
}
