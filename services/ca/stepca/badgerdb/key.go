package badgerdb

import (
	"encoding/binary"
	"fmt"
	"math"
)

// keyOf puts a table and a key together: each with its length before it.
func keyOf(bucket, key []byte) ([]byte, error) {
	first, err := part(bucket)
	if err != nil {
		return nil, fmt.Errorf("table: %w", err)
	}
	second, err := part(key)
	if err != nil {
		return nil, fmt.Errorf("key in %s: %w", bucket, err)
	}
	return append(first, second...), nil
}

// part returns a text after its length in two bytes, the lower one first.
func part(text []byte) ([]byte, error) {
	if len(text) == 0 || len(text) > math.MaxUint16 {
		return nil, fmt.Errorf("its length is %d: want 1 to %d", len(text), math.MaxUint16)
	}
	out := binary.LittleEndian.AppendUint16(make([]byte, 0, 2*len(text)+8), uint16(len(text))) //nolint:gosec // checked above
	return append(out, text...), nil
}

// unpart returns the text of exactly one part.
func unpart(p []byte) ([]byte, bool) {
	if len(p) < 3 || int(binary.LittleEndian.Uint16(p)) != len(p)-2 {
		return nil, false
	}
	return p[2:], true
}
