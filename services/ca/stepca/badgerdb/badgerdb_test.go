package badgerdb_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/smallstep/nosql"
	"github.com/smallstep/nosql/database"
	"go.uber.org/goleak"

	"github.com/phoenix-platform/phoenix/services/ca/stepca/badgerdb"
)

func TestMain(m *testing.M) {
	// A logging library below flushes for as long as the process lives.
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("github.com/golang/glog.(*fileSink).flushDaemon"))
}

func open(t *testing.T, folder string) *badgerdb.DB {
	t.Helper()
	db, err := badgerdb.Open(badgerdb.Config{Folder: folder}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func closed(t *testing.T, db database.DB) {
	t.Helper()
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestSameAsStepsOwn does the same, at random, to a database of ours and to one
// of step's driver: all answers have to be the same.
func TestSameAsStepsOwn(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	ours := open(t, t.TempDir())
	defer closed(t, ours)
	theirs, err := nosql.New(nosql.BadgerV2Driver, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer closed(t, theirs)
	for step := range 3000 {
		do := operation(random)
		if got, want := do(ours), do(theirs); got != want {
			t.Fatalf("step %d: got %s; want %s", step, got, want)
		}
	}
}

// operation returns something to do to a database, and what came of it.
func operation(random *rand.Rand) func(database.DB) string {
	pick := func(list ...string) []byte { return []byte(list[random.IntN(len(list))]) }
	bucket, key := pick("a", "b", "ab", "never"), pick("", "x", "y", strings.Repeat("k", 300), strings.Repeat("z", 70_000))
	if random.IntN(3) > 0 {
		key = pick("x", "y")
	}
	value, old := pick("", "1", "2", strings.Repeat("v", 3000)), pick("", "1", "2")
	write := !bytes.Equal(bucket, []byte("never"))
	switch n := random.IntN(7); {
	case n == 0 && write:
		return func(db database.DB) string { return outcome(db.Set(bucket, key, value)) }
	case n == 1 && write:
		return func(db database.DB) string { return outcome(db.Del(bucket, key)) }
	case n == 2 && write:
		return func(db database.DB) string {
			now, swapped, err := db.CmpAndSwap(bucket, key, old, value)
			return fmt.Sprintf("%q %v %s", now, swapped, outcome(err))
		}
	case n == 3 && write:
		return func(db database.DB) string { return outcome(db.CreateTable(bucket)) }
	case n == 4:
		return func(db database.DB) string { return list(db, bucket) }
	case n == 5 && write:
		return transaction(bucket, key, value, old)
	default:
		return func(db database.DB) string {
			v, err := db.Get(bucket, key)
			return fmt.Sprintf("%q %v %s", v, v == nil, outcome(err))
		}
	}
}

func transaction(bucket, key, value, old []byte) func(database.DB) string {
	return func(db database.DB) string {
		tx := &database.Tx{}
		tx.Set(bucket, []byte("first"), value)
		tx.Get(bucket, []byte("first"))
		tx.Operations = append(tx.Operations, &database.TxEntry{Bucket: bucket, Key: key, Value: value, CmpValue: old, Cmd: database.CmpAndSwap})
		tx.Get(bucket, key) // fails where there is nothing: all of it is undone
		tx.Del(bucket, []byte("y"))
		err := db.Update(tx)
		var out strings.Builder
		for _, op := range tx.Operations {
			fmt.Fprintf(&out, "%q %v ", op.Result, op.Swapped)
		}
		return out.String() + outcome(err)
	}
}

func list(db database.DB, bucket []byte) string {
	entries, err := db.List(bucket)
	var out []string
	for _, e := range entries {
		out = append(out, fmt.Sprintf("%s/%s=%q", e.Bucket, e.Key, e.Value))
	}
	slices.Sort(out)
	return strings.Join(out, " ") + outcome(err)
}

func outcome(err error) string {
	switch {
	case err == nil:
		return "done"
	case database.IsErrNotFound(err):
		return "not found"
	default:
		return "failed"
	}
}

func TestSameOnDiskAsStepsOwn(t *testing.T) {
	folder := t.TempDir()
	ours := open(t, folder)
	for i := range 2000 { // more than one table's worth of large values
		if err := ours.Set([]byte("t"), fmt.Append(nil, i), bytes.Repeat([]byte{byte(i)}, 900)); err != nil {
			t.Fatal(err)
		}
	}
	closed(t, ours)
	theirs, err := nosql.New(nosql.BadgerV2Driver, folder)
	if err != nil {
		t.Fatal(err)
	}
	entries, err := theirs.List([]byte("t"))
	if err != nil || len(entries) != 2000 {
		t.Errorf("step's driver sees %d, %v", len(entries), err)
	}
	if err := theirs.Set([]byte("t"), []byte("more"), []byte("1")); err != nil {
		t.Fatal(err)
	}
	closed(t, theirs)
	ours = open(t, folder)
	defer closed(t, ours)
	if v, err := ours.Get([]byte("t"), []byte("more")); err != nil || string(v) != "1" {
		t.Errorf("got %q, %v", v, err)
	}
	if entries, err := ours.List([]byte("t")); err != nil || len(entries) != 2001 {
		t.Errorf("ours sees %d, %v", len(entries), err)
	}
}

func TestLocked(t *testing.T) {
	folder := t.TempDir()
	db := open(t, folder)
	defer closed(t, db)
	if _, err := badgerdb.Open(badgerdb.Config{Folder: folder}, slog.New(slog.DiscardHandler)); !errors.Is(err, badgerdb.ErrLocked) {
		t.Errorf("got %v", err)
	}
}

func TestValuesElsewhere(t *testing.T) {
	folder, values := t.TempDir(), t.TempDir()
	for range 2 {
		db, err := badgerdb.Open(badgerdb.Config{Folder: folder, Values: values, NoMap: true}, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Set([]byte("t"), []byte("k"), []byte("v")); err != nil {
			t.Fatal(err)
		}
		closed(t, db)
	}
	if _, err := os.Stat(filepath.Join(values, "000000.vlog")); err != nil {
		t.Error(err)
	}
}
