package badgerdb

import (
	"fmt"
	"log/slog"
	"strings"
)

// logger passes on what Badger logs. What it calls information is of use to its
// makers.
type logger struct{ log *slog.Logger }

func (l logger) Errorf(format string, args ...any)   { l.log.Error(text(format, args)) }
func (l logger) Warningf(format string, args ...any) { l.log.Warn(text(format, args)) }
func (l logger) Infof(format string, args ...any)    { l.log.Debug(text(format, args)) }
func (l logger) Debugf(format string, args ...any)   { l.log.Debug(text(format, args)) }

func text(format string, args []any) string {
	return "database: " + strings.TrimSpace(fmt.Sprintf(format, args...))
}
