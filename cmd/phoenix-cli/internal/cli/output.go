package cli

import "fmt"

// output is the form of a command's result, as a flag.
type output string

const (
	outputText output = "text"
	outputJSON output = "json"
)

func (o *output) String() string { return string(*o) }

// Set implements pflag.Value.
func (o *output) Set(s string) error {
	switch output(s) {
	case outputText, outputJSON:
		*o = output(s)
		return nil
	}
	return fmt.Errorf("%q is neither text nor json", s)
}

// Type implements pflag.Value.
func (o *output) Type() string { return "text|json" }
