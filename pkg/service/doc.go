// Package service is what the four services share to start and to stop:
// configuration, log, traces, metrics, health, the connection to the bus, and
// one group of workers that ends together. It calls nothing back but the
// function that builds the workers.
package service
