package service

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/pkg/version"
)

// tracing is the service's tracer and what ends it.
type tracing struct {
	provider *sdktrace.TracerProvider
	tracer   trace.Tracer
}

// newTracing exports spans over OTLP (gRPC) when OTEL_EXPORTER_OTLP_ENDPOINT is
// set, as the OpenTelemetry specification names it. Without it, spans still
// carry the trace from message to message.
func newTracing(ctx context.Context, id events.Identity, stack string) (*tracing, error) {
	opts := []sdktrace.TracerProviderOption{sdktrace.WithResource(resource.NewSchemaless(
		attribute.String("service.name", "phoenix-"+string(id)),
		attribute.String("service.version", version.String()),
		attribute.String("phoenix.stack", stack),
	))}
	if os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT") != "" {
		exporter, err := otlptracegrpc.New(ctx)
		if err != nil {
			return nil, fmt.Errorf("open the trace exporter: %w", err)
		}
		opts = append(opts, sdktrace.WithBatcher(exporter, sdktrace.WithBatchTimeout(time.Second)))
	}
	provider := sdktrace.NewTracerProvider(opts...)
	return &tracing{provider: provider, tracer: provider.Tracer("phoenix")}, nil
}

// close sends what is left.
func (t *tracing) close(log *slog.Logger) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := t.provider.Shutdown(ctx); err != nil {
		log.Warn("end tracing", "err", err)
	}
}
