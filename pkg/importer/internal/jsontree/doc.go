// Package jsontree reads JSON into a tree that remembers where everything stood:
// line, column and path of each value, the order of keys, and keys that are given
// twice, all of which encoding/json forgets.
package jsontree
