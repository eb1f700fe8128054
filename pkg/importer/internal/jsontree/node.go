package jsontree

import "strconv"

// Kind is the JSON type of a node.
type Kind string

// The JSON types, named as a person would say them.
const (
	Null   Kind = "null"
	Bool   Kind = "boolean"
	Number Kind = "number"
	String Kind = "string"
	Array  Kind = "list"
	Object Kind = "object"
)

// maxKey is how much of a key a path shows, in bytes.
const maxKey = 80

// Node is one value of a document. All its methods accept a nil node, which
// stands for a value that is not there.
type Node struct {
	Kind Kind
	// Text is a string's value, a number as it was written, true or false.
	Text         string
	Line, Column int
	// Items of a list, or values of an object in the order of its keys.
	Items []*Node
	// Keys of an object, each for the item of the same index.
	Keys []string

	at     map[string]int // key → index
	parent *Node
	index  int
}

// Get follows keys from n down; nil when one of them is missing.
func (n *Node) Get(keys ...string) *Node {
	for _, k := range keys {
		if n == nil || n.Kind != Object {
			return nil
		}
		i, ok := n.at[k]
		if !ok {
			return nil
		}
		n = n.Items[i]
	}
	return n
}

// Has reports whether the object has the key, null or not.
func (n *Node) Has(key string) bool { return n.Get(key) != nil }

// List returns the items of a list; nil for anything else.
func (n *Node) List() []*Node {
	if n == nil || n.Kind != Array {
		return nil
	}
	return n.Items
}

// Values returns the values of an object; nil for anything else.
func (n *Node) Values() []*Node {
	if n == nil || n.Kind != Object {
		return nil
	}
	return n.Items
}

// Key returns the key under which n stands in an object, "" in a list.
func (n *Node) Key() string {
	if n == nil || n.parent == nil || n.parent.Kind != Object {
		return ""
	}
	return n.parent.Keys[n.index]
}

// Str returns the value of a string; "" for anything else.
func (n *Node) Str() string {
	if n == nil || n.Kind != String {
		return ""
	}
	return n.Text
}

// Scalar returns a string, number or boolean as text; "" for anything else.
func (n *Node) Scalar() string {
	if n == nil || n.Kind == Array || n.Kind == Object || n.Kind == Null {
		return ""
	}
	return n.Text
}

// True reports whether n is the boolean true.
func (n *Node) True() bool { return n != nil && n.Kind == Bool && n.Text == "true" }

// False reports whether n is the boolean false.
func (n *Node) False() bool { return n != nil && n.Kind == Bool && n.Text == "false" }

// Int returns a whole number, written as a number or as a string of digits.
func (n *Node) Int() (int, bool) {
	i, err := strconv.Atoi(n.Scalar())
	return i, err == nil
}

// Parent returns the object or list that n stands in, nil for the document.
func (n *Node) Parent() *Node {
	if n == nil {
		return nil
	}
	return n.parent
}

// Path returns the place of n in the document, such as vms[0].network_config.ip.
func (n *Node) Path() string {
	if n == nil || n.parent == nil {
		return ""
	}
	before := n.parent.Path()
	if n.parent.Kind == Array {
		return before + "[" + strconv.Itoa(n.index) + "]"
	}
	return Join(before, n.parent.Keys[n.index])
}

// Join returns the path of a key below path.
func Join(path, key string) string {
	if len(key) > maxKey {
		key = key[:maxKey] + "…"
	}
	if path == "" {
		return key
	}
	return path + "." + key
}

// Walk calls visit for n and everything below it, in the order of the document.
func (n *Node) Walk(visit func(*Node)) {
	if n == nil {
		return
	}
	visit(n)
	for _, c := range n.Items {
		c.Walk(visit)
	}
}
