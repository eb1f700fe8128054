package events

import (
	"errors"
	"fmt"
)

// maxNames bounds the names of one certificate.
const maxNames = 100

// Validate implements Validator.
func (s StackRequested) Validate() error {
	if s.Stack == "" {
		return errors.New("stack is missing")
	}
	if s.Want != "" && s.Want != Present && s.Want != Absent {
		return fmt.Errorf("want is %.40q: use %q or %q", s.Want, Present, Absent)
	}
	if s.Purge && s.Want != Absent {
		return fmt.Errorf("purge goes with want %q only", Absent)
	}
	return nil
}

// Validate implements Validator.
func (c CertRequested) Validate() error {
	switch {
	case c.CSR == "":
		return errors.New("csr is missing")
	case len(c.Names) == 0:
		return errors.New("names are missing")
	case len(c.Names) > maxNames:
		return fmt.Errorf("%d names: at most %d go into one certificate", len(c.Names), maxNames)
	}
	return nil
}

// Validate implements Validator.
func (s ServiceRegistered) Validate() error {
	if s.Name == "" {
		return errors.New("name is missing")
	}
	return s.Issuer.Check()
}

// Check says why no service can have its certificate in this way, or nil.
func (i Issuer) Check() error {
	switch i {
	case "", IssuerACME:
		return nil
	case IssuerBus, IssuerWildcard:
		return fmt.Errorf("issuer %q is not available in this version: use %q", i, IssuerACME)
	default:
		return fmt.Errorf("issuer %.40q is not known: use %q", i, IssuerACME)
	}
}

// Validate implements Validator.
func (s ServiceRemoved) Validate() error {
	if s.Name == "" {
		return errors.New("name is missing")
	}
	return nil
}
