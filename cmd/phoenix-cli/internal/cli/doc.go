// Package cli is the command line: one file for each command. A command reads
// its flags, asks packages that know the matter, and hands what they answer to
// package view.
package cli
