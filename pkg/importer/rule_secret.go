package importer

import (
	"regexp"
	"strings"

	"github.com/phoenix-platform/phoenix/pkg/importer/internal/jsontree"
)

var (
	secretName  = regexp.MustCompile(`(?i)(^|[_-])(pass|passwd|password|passphrase|pwd|secret|token|api_?key|private_?key|credentials?)$`)
	placeholder = regexp.MustCompile(`(?i)^(not_set|none|null|unset|changeme|todo|x+|\*+|<.*>|\$\{[^}]*\}|\$[A-Z_]+|\{\{.*\}\}|/.*)?$`)
)

// ruleSecrets reports secrets in plain text: under a telling key, or as the value
// of a variable with a telling name. Messages never show them.
func ruleSecrets(inv *inventory) []Problem {
	var out []Problem
	for _, d := range inv.docs {
		d.root.Walk(func(n *jsontree.Node) {
			if secretName.MatchString(n.Key()) && isSecret(n) {
				out = append(out, secretProblem(d.at(n), n.Text, n.Key()))
			}
			if label := n.Get("name").Str(); secretName.MatchString(label) && isSecret(n.Get("value")) {
				out = append(out, secretProblem(d.at(n), n.Get("value").Text, label))
			}
		})
	}
	return out
}

// isSecret reports whether a value is a text that can be the secret itself, not
// a place where it lies.
func isSecret(n *jsontree.Node) bool {
	return is(n, jsontree.String) && !placeholder.MatchString(n.Text)
}

func secretProblem(at place, value, label string) Problem {
	message := clip(label) + " stands here in plain text"
	if strings.Contains(value, "$") {
		message += "; a $ in it is expanded by shells and compose files"
	}
	return problem(Error, at, "keep it in a file that only its user can read, and change it: it has been copied", "%s", message)
}

var (
	skipsCheck = regexp.MustCompile(`(?i)^(tls_?skip_?verify|insecure_?skip_?verify|skip_?(tls_?)?verif(y|ication)|insecure)$`)
	wantsCheck = regexp.MustCompile(`(?i)^((tls|ssl|proxy_ssl)_?verify|verify_?(tls|ssl|certificate)?)$`)
	skipsLabel = regexp.MustCompile(`(?i)insecure_?skip_?verify\s*=\s*true`)
)

// ruleVerification reports connections whose certificates are not verified.
func ruleVerification(inv *inventory) []Problem {
	var out []Problem
	for _, d := range inv.docs {
		d.root.Walk(func(n *jsontree.Node) {
			off := n.True() && skipsCheck.MatchString(n.Key()) || n.False() && wantsCheck.MatchString(n.Key()) ||
				n.Kind == jsontree.String && skipsLabel.MatchString(n.Text)
			if off {
				out = append(out, problem(Warn, d.at(n), "verify against the CA: from now on this cannot be switched off",
					"the other side's certificate is not verified"))
			}
		})
	}
	return out
}

// ruleCAMounts reports guests that see the certificate authority's own files: its
// keys and passwords.
func ruleCAMounts(inv *inventory) []Problem {
	var out []Problem
	for _, ca := range inv.cas() {
		own := hostPaths(ca)
		for _, g := range inv.guests {
			if g == ca {
				continue
			}
			for _, m := range g.node.Get("mount_points").List() {
				if touches(m.Get("host_path").Str(), own, ca.id) {
					out = append(out, problem(Warn, g.doc.at(m), "mount only the root certificate",
						"the CA's folder with its keys and passwords is visible in guest %s", clip(g.id)))
				}
			}
		}
	}
	return out
}

// hostPaths returns the folders that are mounted into a guest.
func hostPaths(g *guest) []string {
	var out []string
	for _, m := range g.node.Get("mount_points").List() {
		if p := strings.TrimRight(m.Get("host_path").Str(), "/"); p != "" {
			out = append(out, p)
		}
	}
	return out
}

// touches reports whether a path holds or lies in one of the folders, or in the
// folder of the guest's own data.
func touches(path string, folders []string, id string) bool {
	path = strings.TrimRight(path, "/") + "/"
	for _, f := range folders {
		if f += "/"; strings.HasPrefix(path, f) || path != "/" && strings.HasPrefix(f, path) {
			return true
		}
	}
	return strings.Contains(path, "/"+id+"/")
}
