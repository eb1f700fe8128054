package view

import (
	"strconv"
	"strings"
	"unicode"
)

// Clean makes foreign text safe to print on a terminal: one line, without
// control characters, escape sequences or anything that reorders letters.
func Clean(s string) string {
	if !strings.ContainsFunc(s, unsafe) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if !unsafe(r) {
			b.WriteRune(r)
			continue
		}
		quoted := strconv.QuoteRuneToASCII(r)
		b.WriteString(quoted[1 : len(quoted)-1])
	}
	return b.String()
}

func unsafe(r rune) bool {
	return r != ' ' && !unicode.IsPrint(r)
}

// short cuts s to at most n runes.
func short(s string, n int) string {
	runes := []rune(s)
	if len(runes) <= n {
		return s
	}
	return string(runes[:n-1]) + "…"
}
