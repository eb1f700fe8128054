// Package site knows what a stack needs on one machine before there is a
// stack: the bus, the provisioner's unit and the programs that services are.
package site
