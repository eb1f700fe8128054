// Package view turns what is known of a stack into what people and scripts
// read. Everything in it is pure: facts in, tables or JSON out.
//
// The JSON shapes are a contract: fields are added, never renamed or removed.
package view
