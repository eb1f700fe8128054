package config

import "time"

const day = 24 * time.Hour

// Default returns the built-in stack: "home", on this machine, without services.
func Default() Stack {
	return Stack{
		Stack:     "home",
		Driver:    DriverLocal,
		Domain:    "phoenix.localhost",
		Addresses: "127.0.1",
		Deadline:  Deadline{Step: Duration(2 * time.Minute), Run: Duration(5 * time.Minute)},
		CA: CA{
			Duration:         Duration(day),
			RootLife:         Duration(3650 * day),
			IntermediateLife: Duration(1825 * day),
		},
		Log: Log{Level: "info", Format: "text"},
	}
}

// DriverLocal runs containers as processes on this machine.
const DriverLocal = "local"
