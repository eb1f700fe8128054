package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Duration is a time.Duration that is written as "90s", "24h" or, in days,
// "3650d", in YAML and in JSON alike.
type Duration time.Duration

// Std returns the duration as the standard library knows it.
func (d Duration) Std() time.Duration { return time.Duration(d) }

// String renders the duration as short as it can be read again.
func (d Duration) String() string {
	std := time.Duration(d)
	if std >= 30*day && std%day == 0 {
		return strconv.FormatInt(int64(std/day), 10) + "d"
	}
	s := std.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// MarshalText implements [encoding.TextMarshaler].
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (d *Duration) UnmarshalText(text []byte) error {
	s := string(text)
	if days, ok := strings.CutSuffix(s, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 32)
		if err != nil || n > uint64(math.MaxInt64/day) {
			return fmt.Errorf("%.40q is not a number of days such as 30d", s)
		}
		*d = Duration(time.Duration(n) * day)
		return nil
	}
	std, err := time.ParseDuration(s)
	if err != nil {
		return fmt.Errorf("%.40q is not a duration such as 90s, 24h or 30d", s)
	}
	*d = Duration(std)
	return nil
}
