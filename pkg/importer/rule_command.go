package importer

import (
	"regexp"
	"strings"

	"github.com/phoenix-platform/phoenix/pkg/importer/internal/jsontree"
)

var (
	entered      = regexp.MustCompile(`\b(pct exec|qm guest exec|pct enter)\s+(\d+)`)
	owners       = regexp.MustCompile(`\bchown\s+(?:-\S+\s+)*([A-Za-z0-9_.-]+:[A-Za-z0-9_.-]*)`)
	modes        = regexp.MustCompile(`\bchmod\s+(?:-\S+\s+)*([0-7]{3,4})((?:\s+[^\s;&|]+)+)`)
	reloads      = regexp.MustCompile(`\b(systemctl\s+(--\S+\s+)*(reload|restart|start|try-restart|reload-or-restart)|docker\s+service\s+update|docker\s+(restart|kill)|docker[ -]compose|nginx\s+-s\s+reload|kill\s+-(HUP|1|USR1|s)|pkill\s+-|service\s+\S+\s+(reload|restart)|pct\s+(reboot|restart)|qm\s+(reboot|reset))`)
	secretGone   = regexp.MustCompile(`\bdocker\s+secret\s+rm\b`)
	stagedKey    = regexp.MustCompile(`(/\S*(?:stage|staging|tmp)\S*/\S*key\S*?)(?:["';&|)\s]|$)`)
	endlessWait  = regexp.MustCompile(`\b(while|until)\b[^;]*;\s*do\b`)
	boundedWait  = regexp.MustCompile(`\btimeout\b|-lt\b|-le\b|-gt\b|-ge\b|\(\(|\bseq\b|\bbreak\b`)
	worldMayRead = regexp.MustCompile(`[1-7]$`)
)

// ruleCommands reports what is wrong with the commands that run after a renewal.
func ruleCommands(inv *inventory) []Problem {
	var out []Problem
	for _, c := range inv.certs {
		at := c.doc.key(c.node, "post_renewal_command")
		out = append(out, afterRenewal(c, at)...)
		out = append(out, keyHandling(c, at)...)
		out = append(out, ownership(c)...)
		out = append(out, enteredGuest(inv, c, at)...)
	}
	return out
}

// afterRenewal reports commands after which the old certificate may stay in use.
func afterRenewal(c *certificate, at place) []Problem {
	var out []Problem
	if !reloads.MatchString(c.command) {
		out = append(out, problem(Warn, at, "reload what serves the certificate",
			"nothing is reloaded: the old certificate of %s stays in use until it expires", clip(c.cn)))
	}
	if secretGone.MatchString(c.command) {
		out = append(out, problem(Error, at, "create the new secret under a new name, switch, then remove the old one",
			"removes a Docker secret that is in use: this is refused, and the new one is then not created"))
	}
	if endlessWait.MatchString(c.command) && !boundedWait.MatchString(c.command) {
		out = append(out, problem(Error, at, "count the attempts, or use timeout", "waits in a loop without end"))
	}
	return out
}

// keyHandling reports private keys that others can read or that stay behind.
func keyHandling(c *certificate, at place) []Problem {
	var out []Problem
	for _, m := range modes.FindAllStringSubmatch(c.command, -1) {
		if worldMayRead.MatchString(m[1]) && namesKey(m[2]) {
			out = append(out, problem(Error, at, "use mode 600 or 640", "the private key gets mode %s, which everybody on the machine can read", m[1]))
		}
	}
	for _, n := range keyModes(c) {
		if len(n.Scalar()) >= 3 && worldMayRead.MatchString(n.Scalar()) {
			out = append(out, problem(Error, c.doc.at(n), "use mode 600 or 640", "the private key gets mode %s, which everybody on the machine can read", clip(n.Scalar())))
		}
	}
	if m := stagedKey.FindStringSubmatch(c.command); len(m) > 0 && !taken(c.command, m[1]) {
		out = append(out, problem(Error, at, "move the key, or remove the copy", "the copy of the private key in %s is never removed", clip(m[1])))
	}
	return out
}

// keyModes returns the modes that an entry states for its private key: the one
// for all its files, or those of the key's own.
func keyModes(c *certificate) []*jsontree.Node {
	n := c.node.Get("permissions")
	if n == nil || n.Kind != jsontree.Object {
		return []*jsontree.Node{n}
	}
	var out []*jsontree.Node
	for i, key := range n.Keys {
		if strings.Contains(strings.ToLower(key), "key") {
			out = append(out, n.Items[i])
		}
	}
	return out
}

// namesKey reports whether one of the files is a private key.
func namesKey(files string) bool {
	for f := range strings.FieldsSeq(files) {
		base := strings.ToLower(f[strings.LastIndexByte(f, '/')+1:])
		if strings.HasSuffix(base, ".key") || strings.Contains(base, "key.pem") || strings.Contains(base, "_key") {
			return true
		}
	}
	return false
}

// taken reports whether a command moves or removes a file, by itself or with its
// folder.
func taken(command, file string) bool {
	dir := file[:strings.LastIndexByte(file, '/')]
	pattern := `\b(mv|rm|shred)\s+(-\S+\s+)*([^;&|]*\s)?["']?(` + regexp.QuoteMeta(file) + `|` + regexp.QuoteMeta(dir) + `/?(\*|\s|["';&|]|$))`
	re, err := regexp.Compile(pattern)
	return err == nil && re.MatchString(command)
}

// ownership reports an owner that the command does not give.
func ownership(c *certificate) []Problem {
	owner := c.node.Get("owner").Str()
	if owner == "" {
		return nil
	}
	for _, m := range owners.FindAllStringSubmatch(c.command, -1) {
		if m[1] != owner {
			return []Problem{problem(Error, c.doc.at(c.node), "say the same in both", "owner is %s, but the command gives the files to %s", clip(owner), clip(m[1]))}
		}
	}
	return nil
}

// enteredGuest reports a command that enters another guest than the one stated,
// or one of the other kind.
func enteredGuest(inv *inventory, c *certificate, at place) []Problem {
	m := entered.FindStringSubmatch(c.command)
	if m == nil {
		return nil
	}
	id := m[2]
	if stated := c.node.Get("guest_id").Scalar(); stated != "" && stated != id {
		return []Problem{problem(Error, at, "say the same in both", "enters guest %s, but the certificate is for %s", id, clip(stated))}
	}
	g := inv.guest(id)
	if g == nil {
		return inv.missing(id, at)
	}
	if g.vm == strings.HasPrefix(m[1], "pct") {
		return []Problem{problem(Error, at, "use pct for containers and qm for virtual machines", "%s does not reach guest %s, which is of kind %s", m[1], id, g.kind())}
	}
	return nil
}
