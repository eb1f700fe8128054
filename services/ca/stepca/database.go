package stepca

import (
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"

	"github.com/smallstep/certificates/authority/provisioner"
	"github.com/smallstep/certificates/db"
	"github.com/smallstep/nosql"
	nosqldb "github.com/smallstep/nosql/database"

	"github.com/phoenix-platform/phoenix/services/ca/stepca/badgerdb"
)

// The tables: step-ca's own for certificates, and two of ours beside them that
// stock step-ca leaves alone.
const (
	tableCertificates = "x509_certs"
	tableNotes        = "phoenix_notes"    // serial → note
	tableRequests     = "phoenix_requests" // id of a request to [CA.Sign] → serial
)

// tables lists the tables of step-ca, which it expects to be there, and ours.
func tables() []string {
	return []string{
		tableCertificates, "x509_certs_data", "revoked_x509_certs", "x509_crl", "used_ott",
		"ssh_certs", "ssh_hosts", "ssh_users", "ssh_host_principals", "revoked_ssh_certs",
		tableNotes, tableRequests,
	}
}

// note is what we keep of a certificate beside what step-ca keeps.
type note struct {
	Way     Way    `json:"way"`
	Holder  string `json:"holder,omitempty"`
	Request string `json:"request,omitempty"`
	key     string // of tableRequests
}

// database is step-ca's database that tells of each certificate stored. The
// note is written in the transaction that stores the certificate, so no crash
// parts them, and what was told of but not passed on is found again.
type database struct {
	*db.DB
	chain  chain
	signed func(Certificate)
	asked  asked
}

// asked holds what [CA.Sign] knows of the certificates that it has signed now,
// by the id of the provisioner.
type asked struct {
	mu    sync.Mutex
	notes map[string]note
}

func (a *asked) begin(id string, n note) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.notes[id] = n
}

func (a *asked) end(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.notes, id)
}

func (a *asked) note(id string) (n note, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	n, ok = a.notes[id]
	return n, ok
}

// openDatabase opens the database that ca.json names.
func openDatabase(l layout, c *db.Config, ch chain, signed func(Certificate), log *slog.Logger) (*database, error) {
	store, err := openStore(c, log)
	if errors.Is(err, badgerdb.ErrLocked) {
		return nil, fmt.Errorf("the database %s is in use%s: only one process can have it; stop that one first", c.DataSource, holder(l))
	}
	if err != nil {
		return nil, fmt.Errorf("open the CA's database: %w", err)
	}
	d := &database{DB: &db.DB{DB: store}, chain: ch, signed: signed, asked: asked{notes: map[string]note{}}}
	tx := new(nosqldb.Tx)
	for _, table := range tables() {
		tx.CreateTable([]byte(table))
	}
	if err := d.Update(tx); err != nil {
		return nil, errors.Join(fmt.Errorf("create the CA's tables: %w", err), d.Shutdown())
	}
	return d, nil
}

// openStore opens Badger with our driver and anything else with step's.
func openStore(c *db.Config, log *slog.Logger) (nosql.DB, error) { //nolint:ireturn // step's interface to its databases
	switch {
	case c == nil:
		return nil, errors.New("ca.json names none, and ACME needs one")
	case strings.EqualFold(c.Type, nosql.BadgerV2Driver):
		return badgerdb.Open(badgerdb.Config{
			Folder: c.DataSource, Values: c.ValueDir, NoMap: strings.EqualFold(c.BadgerFileLoadingMode, nosql.BadgerFileIO),
		}, log)
	default:
		return nosql.New(c.Type, c.DataSource, nosql.WithDatabase(c.Database), nosql.WithValueDir(c.ValueDir))
	}
}

// Shutdown closes the database. step-ca's own would not: it did not open it.
func (d *database) Shutdown() error { return d.Close() }

// holder tells the process that has the database, as far as it says so.
func holder(l layout) string {
	pid, err := os.ReadFile(l.databasePID())
	if err != nil {
		return ""
	}
	return " by process " + strings.TrimSpace(string(pid))
}

// StoreCertificateChain stores a newly signed certificate and tells of it.
func (d *database) StoreCertificateChain(p provisioner.Interface, chain ...*x509.Certificate) error {
	return d.store(d.noteFor(p), chain[0], func(inner *db.DB) error {
		return inner.StoreCertificateChain(p, chain...)
	})
}

// StoreRenewedCertificate stores a renewed or rekeyed certificate and tells of
// it.
func (d *database) StoreRenewedCertificate(old *x509.Certificate, chain ...*x509.Certificate) error {
	n := note{Way: WayRenew, Holder: d.note(old.SerialNumber.String()).Holder}
	return d.store(n, chain[0], func(inner *db.DB) error {
		return inner.StoreRenewedCertificate(old, chain...)
	})
}

// StoreCertificate stores a certificate of which nothing else is known.
func (d *database) StoreCertificate(leaf *x509.Certificate) error {
	return d.store(note{Way: wayOther}, leaf, func(inner *db.DB) error { return inner.StoreCertificate(leaf) })
}

// storeOwn stores the CA's own server certificate.
func (d *database) storeOwn(chain ...*x509.Certificate) error {
	return d.store(note{Way: WayOwn, Holder: "ca"}, chain[0], func(inner *db.DB) error {
		return inner.StoreCertificateChain(nil, chain...)
	})
}

func (d *database) store(n note, leaf *x509.Certificate, write func(*db.DB) error) error {
	serial := leaf.SerialNumber.String()
	raw, err := json.Marshal(n)
	if err != nil {
		return fmt.Errorf("note on certificate %s: %w", Serial(leaf.SerialNumber), err)
	}
	with := func(tx *nosqldb.Tx) {
		tx.Set([]byte(tableNotes), []byte(serial), raw)
		if n.key != "" {
			tx.Set([]byte(tableRequests), []byte(n.key), []byte(serial))
		}
	}
	if err := write(&db.DB{DB: annotating{DB: d.DB.DB, with: with}}); err != nil {
		return err
	}
	d.signed(d.describe(leaf, n))
	return nil
}

// noteFor tells from the provisioner how the certificate was asked for.
func (d *database) noteFor(p provisioner.Interface) note {
	if p == nil {
		return note{Way: wayOther}
	}
	if n, ok := d.asked.note(p.GetID()); ok {
		return n
	}
	return note{Way: wayOf(p.GetType(), p.GetName())}
}

// note returns what is kept of a certificate; stock step-ca keeps nothing.
func (d *database) note(serial string) note {
	n := note{Way: wayOther}
	raw, err := d.Get([]byte(tableNotes), []byte(serial))
	if err != nil || json.Unmarshal(raw, &n) != nil {
		return note{Way: wayOther}
	}
	return n
}

// answered returns the certificate that was signed for the request with that
// key.
func (d *database) answered(key string) (leaf *x509.Certificate, ok bool, err error) {
	serial, err := d.Get([]byte(tableRequests), []byte(key))
	if nosql.IsErrNotFound(err) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("look for a former answer: %w", err)
	}
	leaf, err = d.GetCertificate(string(serial))
	if err != nil {
		return nil, false, fmt.Errorf("read the certificate of a former answer: %w", err)
	}
	return leaf, true, nil
}

// annotating is a database that adds to each transaction.
type annotating struct {
	nosql.DB
	with func(*nosqldb.Tx)
}

// Update implements nosql.DB.
func (a annotating) Update(tx *nosqldb.Tx) error {
	a.with(tx)
	return a.DB.Update(tx)
}

// Set implements nosql.DB.
func (a annotating) Set(bucket, key, value []byte) error {
	tx := new(nosqldb.Tx)
	tx.Set(bucket, key, value)
	return a.Update(tx)
}
