// Package client is the operator's connection to the bus of a stack: what a
// person may say there, and everything that can be read.
package client
