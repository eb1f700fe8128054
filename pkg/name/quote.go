package name

import (
	"strconv"
	"unicode/utf8"
)

// maxQuoted is how many bytes of a foreign value an error shows.
const maxQuoted = 80

// quote returns s in a form that fits into a log line, whatever is in it.
func quote(s string) string {
	if len(s) <= maxQuoted {
		return strconv.Quote(s)
	}
	cut := maxQuoted
	for cut > maxQuoted-utf8.UTFMax && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return strconv.Quote(s[:cut]) + "… (" + strconv.Itoa(len(s)) + " bytes)"
}
