package cli

import (
	"errors"
	"fmt"

	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/fault"
	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/home"
)

// explainPorts says once what is said of each address that another home has:
// two homes on one block of addresses collide everywhere.
func explainPorts(err error) error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return err
	}
	var rest []error
	var homes []string
	addresses := map[string][]string{}
	for _, e := range joined.Unwrap() {
		var port *home.PortError
		if !errors.As(e, &port) || port.Holder == nil || port.Holder.Home == "" {
			rest = append(rest, e)
			continue
		}
		other := port.Holder.Home
		if len(addresses[other]) == 0 {
			homes = append(homes, other)
		}
		addresses[other] = append(addresses[other], port.Address)
	}
	for _, other := range homes {
		rest = append(rest, fault.Failuref(
			"give this home another block (--addresses 127.0.2), or stop the other one (phoenix-cli down --home "+other+")",
			"another Phoenix home, %s, has %s", other, some(addresses[other])))
	}
	return errors.Join(rest...)
}

// some names the first of a list, and how many there are besides.
func some(list []string) string {
	if len(list) == 1 {
		return list[0]
	}
	return fmt.Sprintf("%s and %d more addresses of this one", list[0], len(list)-1)
}
