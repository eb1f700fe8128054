package serve

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/phoenix-platform/phoenix/pkg/events"
)

// Metrics is what the service counts.
type Metrics struct {
	services     *prometheus.GaugeVec
	certificates *prometheus.GaugeVec
	ends         prometheus.Gauge
}

// NewMetrics registers the metrics.
func NewMetrics(r prometheus.Registerer) *Metrics {
	m := &Metrics{
		services: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "phoenix_proxyconf_services", Help: "Services by state.",
		}, []string{"state"}),
		certificates: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "phoenix_proxyconf_hosts", Help: "Hosts by whether Traefik shows their newest certificate, another one or none.",
		}, []string{"certificate"}),
		ends: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "phoenix_proxyconf_certificate_end_seconds", Help: "When the first of the shown certificates ends, in seconds since 1970.",
		}),
	}
	r.MustRegister(m.services, m.certificates, m.ends)
	return m
}

// count takes over what is recorded and seen.
func (m *Metrics) count(states map[string]events.ServiceState, hosts map[string]Host) {
	byState := map[events.State]int{}
	for _, s := range states {
		byState[s.State]++
	}
	for _, state := range []events.State{events.StatePending, events.StateReady, events.StateDegraded} {
		m.services.WithLabelValues(string(state)).Set(float64(byState[state]))
	}
	newest, other, none, ends := 0, 0, 0, int64(0)
	for _, h := range hosts {
		switch {
		case h.Served():
			newest++
		case h.Seen.Serial != "":
			other++
		default:
			none++
			continue
		}
		if end := h.Seen.NotAfter.Unix(); ends == 0 || end < ends {
			ends = end
		}
	}
	m.certificates.WithLabelValues("newest").Set(float64(newest))
	m.certificates.WithLabelValues("other").Set(float64(other))
	m.certificates.WithLabelValues("none").Set(float64(none))
	m.ends.Set(float64(ends))
}
