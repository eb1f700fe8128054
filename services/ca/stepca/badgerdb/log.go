package badgerdb

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
)

// logger passes on what Badger logs. What it calls information is of use to its
// makers.
type logger struct{ log *slog.Logger }

func (l logger) Errorf(format string, args ...any)   { l.pass(slog.LevelError, format, args) }
func (l logger) Warningf(format string, args ...any) { l.pass(slog.LevelWarn, format, args) }
func (l logger) Infof(format string, args ...any)    { l.pass(slog.LevelDebug, format, args) }
func (l logger) Debugf(format string, args ...any)   { l.pass(slog.LevelDebug, format, args) }

func (l logger) pass(level slog.Level, format string, args []any) {
	ctx := context.Background() // Badger tells of none
	if l.log.Enabled(ctx, level) {
		l.log.Log(ctx, level, "Badger", "text", strings.TrimSpace(fmt.Sprintf(format, args...)))
	}
}
