package main

import (
	"strings"
	"testing"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/services/gateway/ledger"
)

func TestContainerReady(t *testing.T) {
	_, public, _ := curve(t)
	good := events.ContainerReady{
		Stack: "home", Run: "home-1", Role: events.RoleProxy, Address: "127.0.1.102", Curve: public, Ports: map[string]int{"https": 8443},
	}
	with := func(change func(*events.ContainerReady)) events.ContainerReady {
		c := good
		change(&c)
		return c
	}
	of := func(h *handlers) events.Handler[events.ContainerReady] { return h.containerReady }
	checkHandler(t, []handled[events.ContainerReady]{
		{"proxy", good, ""},
		{"proxy without ports", with(func(c *events.ContainerReady) { c.Ports = nil }), ""},
		{"ca", with(func(c *events.ContainerReady) { c.Role, c.Curve = events.RoleCA, "" }), ""},
		{"gateway of another key", with(func(c *events.ContainerReady) { c.Role = events.RoleGateway }), ""},
		{"another stack", with(func(c *events.ContainerReady) { c.Stack, c.Role = "other", "other" }), ""},
		{"unknown role", with(func(c *events.ContainerReady) { c.Role = "router" }), "role"},
		{"no curve", with(func(c *events.ContainerReady) { c.Curve = "" }), "curve"},
		{"curve too long", with(func(c *events.ContainerReady) { c.Curve = strings.Repeat("X", 500) }), "curve"},
		{"user key as curve", with(func(c *events.ContainerReady) { c.Curve = "U" + public[1:] }), "curve"},
		{"host as address", with(func(c *events.ContainerReady) { c.Address = "proxy;}" }), "address"},
		{"address with a zone", with(func(c *events.ContainerReady) { c.Address = "fe80::1%a;}" }), "address"},
		{"port out of range", with(func(c *events.ContainerReady) { c.Ports = map[string]int{"https": 65536} }), "port"},
		{"port zero", with(func(c *events.ContainerReady) { c.Ports = map[string]int{"https": 0} }), "port"},
	}, of)
	checkLater(t, good, of)
	expect(t, recordsOf(t, good, of).Proxy, ledger.Proxy{Origin: ledger.Origin{Sequence: 7}, HTTPS: "127.0.1.102:8443", Curve: public})
	expect(t, recordsOf(t, with(func(c *events.ContainerReady) { c.Role = events.RoleGateway }), of).Container,
		ledger.Container{Origin: ledger.Origin{Sequence: 7}, Run: "home-1"})
	expect(t, recordsOf(t, with(func(c *events.ContainerReady) { c.Stack = "other" }), of).Proxy, ledger.Proxy{})
}
