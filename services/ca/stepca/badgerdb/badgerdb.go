package badgerdb

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/dgraph-io/badger/v2"
	"github.com/dgraph-io/badger/v2/options"
	"github.com/smallstep/nosql/database"
)

// ErrLocked says that another process has the folder open.
var ErrLocked = errors.New("another process has the database open")

// tableSize bounds what is kept in memory until it is written as a table, in
// bytes. A CA writes some kilobytes per certificate.
const tableSize = 8 << 20

// Config says which folder to open.
type Config struct {
	Folder string
	Values string // folder of the value log; default Folder
	// NoMap has the value log read rather than mapped into memory.
	NoMap bool
}

// DB implements database.DB and nosql.Compactor.
type DB struct {
	db *badger.DB
}

var _ database.DB = (*DB)(nil)

// Open opens or makes the database. When a crash left half a record at its end,
// that is cut off: writes are synced before they are answered, so nobody was
// told of it. The error is ErrLocked when another process has it.
func Open(c Config, log *slog.Logger) (*DB, error) {
	o := badger.DefaultOptions(c.Folder).WithMaxTableSize(tableSize).WithLogger(logger{log})
	if c.Values != "" {
		o = o.WithValueDir(c.Values)
	}
	if c.NoMap {
		o = o.WithValueLogLoadingMode(options.FileIO)
	}
	db, err := badger.Open(o)
	if err != nil && says(err, badger.ErrTruncateNeeded.Error()) {
		log.Warn("a crash left half a record in the database; it is cut off", "folder", c.Folder)
		db, err = badger.Open(o.WithTruncate(true))
	}
	if err != nil && says(err, "Cannot acquire directory lock") {
		return nil, fmt.Errorf("open %s: %w", c.Folder, ErrLocked)
	}
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", c.Folder, err)
	}
	return &DB{db: db}, nil
}

// says tells errors of Badger apart: it wraps them as text alone.
func says(err error, text string) bool { return strings.Contains(err.Error(), text) }

// Open implements database.DB. A DB is opened by the function of that name.
func (*DB) Open(string, ...database.Option) error { return database.ErrOpNotSupported }

// Close implements database.DB.
func (d *DB) Close() error { return d.db.Close() }

// Get implements database.DB.
func (d *DB) Get(bucket, key []byte) (value []byte, err error) {
	k, err := keyOf(bucket, key)
	if err != nil {
		return nil, err
	}
	err = d.db.View(func(tx *badger.Txn) error {
		value, err = get(tx, k)
		return err
	})
	return value, err
}

// Set implements database.DB.
func (d *DB) Set(bucket, key, value []byte) error {
	tx := &database.Tx{}
	tx.Set(bucket, key, value)
	return d.Update(tx)
}

// Del implements database.DB.
func (d *DB) Del(bucket, key []byte) error {
	tx := &database.Tx{}
	tx.Del(bucket, key)
	return d.Update(tx)
}

// CmpAndSwap implements database.DB. It returns the value that is there then.
func (d *DB) CmpAndSwap(bucket, key, old, value []byte) (now []byte, swapped bool, err error) {
	k, err := keyOf(bucket, key)
	if err != nil {
		return nil, false, err
	}
	tx := d.db.NewTransaction(true)
	defer tx.Discard()
	now, swapped, err = compareAndSwap(tx, k, old, value)
	if err == nil && swapped {
		err = tx.Commit()
	}
	if err != nil {
		return nil, false, fmt.Errorf("compare and swap in %s: %w", bucket, err)
	}
	return now, swapped, nil
}

// List implements database.DB.
func (d *DB) List(bucket []byte) ([]*database.Entry, error) {
	table, err := part(bucket)
	if err != nil {
		return nil, err
	}
	var out []*database.Entry
	err = d.db.View(func(tx *badger.Txn) error {
		it := tx.NewIterator(badger.DefaultIteratorOptions)
		defer it.Close()
		found := false
		for it.Seek(table); it.ValidForPrefix(table); it.Next() {
			found = true
			key, ok := unpart(bytes.TrimPrefix(it.Item().KeyCopy(nil), table))
			if !ok { // the table's own mark
				continue
			}
			value, err := it.Item().ValueCopy(nil)
			if err != nil {
				return err
			}
			out = append(out, &database.Entry{Bucket: bucket, Key: key, Value: value})
		}
		if !found {
			return database.ErrNotFound
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", bucket, err)
	}
	return out, nil
}

// Update implements database.DB.
func (d *DB) Update(tx *database.Tx) error {
	return d.db.Update(func(b *badger.Txn) error {
		for _, op := range tx.Operations {
			if err := apply(b, op); err != nil {
				return fmt.Errorf("%s in %s: %w", op.Cmd, op.Bucket, err)
			}
		}
		return nil
	})
}

func apply(tx *badger.Txn, op *database.TxEntry) (err error) {
	if op.Cmd == database.CreateTable {
		table, err := part(op.Bucket)
		if err != nil {
			return err
		}
		return tx.Set(table, []byte{})
	}
	k, err := keyOf(op.Bucket, op.Key)
	if err != nil {
		return err
	}
	switch op.Cmd {
	case database.Get:
		op.Result, err = get(tx, k)
	case database.Set:
		err = tx.Set(k, op.Value)
	case database.Delete:
		err = tx.Delete(k)
	case database.CmpAndSwap:
		op.Result, op.Swapped, err = compareAndSwap(tx, k, op.CmpValue, op.Value)
	default:
		err = database.ErrOpNotSupported
	}
	return err
}

// CreateTable implements database.DB.
func (d *DB) CreateTable(bucket []byte) error {
	tx := &database.Tx{}
	tx.CreateTable(bucket)
	return d.Update(tx)
}

// DeleteTable implements database.DB. step-ca never does that.
func (*DB) DeleteTable([]byte) error { return database.ErrOpNotSupported }

// Compact implements nosql.Compactor.
func (d *DB) Compact(discardRatio float64) error { return d.db.RunValueLogGC(discardRatio) }

func get(tx *badger.Txn, key []byte) ([]byte, error) {
	item, err := tx.Get(key)
	if errors.Is(err, badger.ErrKeyNotFound) {
		return nil, database.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	return item.ValueCopy([]byte{}) // never nil: an empty value is one
}

func compareAndSwap(tx *badger.Txn, key, old, value []byte) (now []byte, swapped bool, err error) {
	now, err = get(tx, key)
	if err != nil && !database.IsErrNotFound(err) {
		return nil, false, err
	}
	if !bytes.Equal(now, old) {
		return now, false, nil
	}
	if err := tx.Set(key, value); err != nil {
		return now, false, err
	}
	return value, true, nil
}
