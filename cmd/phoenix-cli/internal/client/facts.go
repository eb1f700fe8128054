package client

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/view"
	"github.com/phoenix-platform/phoenix/pkg/config"
	"github.com/phoenix-platform/phoenix/pkg/events"
)

// Config returns the configuration that the stack was last brought up with;
// events.ErrNotFound when there is none.
func (o *Operator) Config(ctx context.Context, stack string) (config.Stack, error) {
	raw, _, err := o.bus.Bucket(events.BucketStacks).Get(ctx, stack)
	if err != nil {
		return config.Stack{}, err
	}
	return config.Decode(raw)
}

// Facts reads everything that the services say of a stack.
func (o *Operator) Facts(ctx context.Context, stack string) (view.Facts, error) {
	f := view.Facts{Now: time.Now()}
	g, ctx := errgroup.WithContext(ctx)
	for _, read := range []func(context.Context, string, *view.Facts) error{
		o.readStack, o.readContainers, o.readCA, o.readServices, o.readHosts, o.readWanted,
	} {
		g.Go(func() error { return read(ctx, stack, &f) })
	}
	if err := g.Wait(); err != nil {
		return view.Facts{}, fmt.Errorf("read the state of stack %s: %w", stack, err)
	}
	return f, nil
}

// Certs returns every certificate that the CA has signed.
func (o *Operator) Certs(ctx context.Context) ([]events.CertState, error) {
	return values[events.CertState](ctx, o, events.BucketCA, "cert.")
}

func (o *Operator) readStack(ctx context.Context, stack string, f *view.Facts) (err error) {
	f.Stack, err = load[events.StackState](ctx, o, events.BucketProvisioner, "stack."+stack)
	return err
}

func (o *Operator) readContainers(ctx context.Context, stack string, f *view.Facts) error {
	all, err := values[events.ContainerState](ctx, o, events.BucketProvisioner, "container.")
	for _, c := range all {
		if c.Stack == stack {
			f.Containers = append(f.Containers, c)
		}
	}
	return err
}

func (o *Operator) readCA(ctx context.Context, _ string, f *view.Facts) (err error) {
	f.CA, err = load[events.CAState](ctx, o, events.BucketCA, "ca")
	return err
}

func (o *Operator) readServices(ctx context.Context, _ string, f *view.Facts) (err error) {
	f.Services, err = values[events.ServiceState](ctx, o, events.BucketProxyconf, "service.")
	return err
}

func (o *Operator) readHosts(ctx context.Context, _ string, f *view.Facts) error {
	all, err := values[events.GatewayHost](ctx, o, events.BucketGateway, "host.")
	f.Hosts = make(map[string]events.GatewayHost, len(all))
	for _, h := range all {
		f.Hosts[h.Host] = h
	}
	return err
}

func (o *Operator) readWanted(ctx context.Context, stack string, f *view.Facts) error {
	s, err := o.Config(ctx, stack)
	if errors.Is(err, events.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	f.Wanted = Wanted(s)
	return nil
}

// Wanted lists the services of a configuration.
func Wanted(s config.Stack) []view.Wanted {
	out := make([]view.Wanted, 0, len(s.Services))
	for _, svc := range s.Services {
		out = append(out, view.Wanted{Name: svc.Name, Hosts: svc.HostsIn(s.Domain), Issuer: svc.Issuer})
	}
	return out
}

// load reads one value; the zero one when nobody has written it yet.
func load[T any](ctx context.Context, o *Operator, bucket, key string) (T, error) {
	v, _, err := events.Load[T](ctx, o.bus.Bucket(bucket), key)
	if errors.Is(err, events.ErrNotFound) {
		return v, nil
	}
	return v, err
}

func values[T any](ctx context.Context, o *Operator, bucket, prefix string) ([]T, error) {
	all, err := events.All[T](ctx, o.bus.Bucket(bucket), prefix)
	if err != nil {
		return nil, err
	}
	out := make([]T, 0, len(all))
	for _, v := range all {
		out = append(out, v)
	}
	return out, nil
}
