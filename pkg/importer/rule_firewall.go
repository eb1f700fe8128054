package importer

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/phoenix-platform/phoenix/pkg/importer/internal/jsontree"
)

// ruleFirewalls reports what is wrong with lists of firewall rules, wherever they
// stand.
func ruleFirewalls(inv *inventory) []Problem {
	var out []Problem
	for _, d := range inv.docs {
		d.root.Walk(func(n *jsontree.Node) {
			if !isRuleList(n) {
				return
			}
			for _, r := range n.Items {
				out = append(out, firewallRule(d, r)...)
			}
			out = append(out, equalRules(d, n)...)
			if parent := n.Parent(); parent.Get("enabled").False() && len(n.Items) > 0 {
				out = append(out, problem(Warn, d.at(parent), "enable the firewall, or remove its rules",
					"%d rules, but the firewall is disabled", len(n.Items)))
			}
		})
	}
	return out
}

// isRuleList tells a list of firewall rules by what its items have.
func isRuleList(n *jsontree.Node) bool {
	if n.Kind != jsontree.Array || !strings.HasSuffix(n.Key(), "rules") {
		return false
	}
	for _, r := range n.Items {
		if r.Has("action") {
			return true
		}
	}
	return false
}

var portForm = regexp.MustCompile(`^\d{1,5}([:,-]\d{1,5})*$`)

func firewallRule(d *document, r *jsontree.Node) []Problem {
	var out []Problem
	action := strings.ToUpper(r.Get("action").Str())
	if n := r.Get("action"); action != "ACCEPT" && action != "DROP" && action != "REJECT" {
		out = append(out, problem(Error, d.key(r, "action"), "write ACCEPT, DROP or REJECT", "%q is no action", clip(n.Scalar())))
	}
	if direction := r.Get("type").Str(); direction != "in" && direction != "out" && direction != "group" && direction != "forward" {
		out = append(out, problem(Error, d.key(r, "type"), "write in or out", "%q is no direction", clip(direction)))
	}
	port := firstOf(r, "port", "dport")
	if port != nil && !portForm.MatchString(port.Scalar()) {
		out = append(out, problem(Error, d.at(port), "write a number, a list 80,443 or a range 8000:8010", "%q is no port", clip(port.Scalar())))
	}
	if action == "ACCEPT" && port == nil && r.Get("proto").Str() == "" {
		out = append(out, problem(Warn, d.at(r), "name protocol and port", "accepts every protocol on every port (%s)", clip(r.Get("comment").Str())))
	}
	return out
}

func firstOf(n *jsontree.Node, keys ...string) *jsontree.Node {
	for _, k := range keys {
		if v := n.Get(k); v != nil {
			return v
		}
	}
	return nil
}

// equalRules reports rules that say the same, whatever their comments.
func equalRules(d *document, rules *jsontree.Node) []Problem {
	var order []string
	groups := map[string][]int{}
	for i, r := range rules.Items {
		k := ruleText(r)
		if groups[k] == nil {
			order = append(order, k)
		}
		groups[k] = append(groups[k], i)
	}
	var out []Problem
	for _, k := range order {
		if len(groups[k]) < 2 {
			continue
		}
		numbers := make([]string, len(groups[k]))
		for i, n := range groups[k] {
			numbers[i] = strconv.Itoa(n)
		}
		path := rules.Path() + "[" + strings.Join(numbers, ", ") + "]"
		out = append(out, problem(Warn, d.named(rules.Items[groups[k][1]], path), "keep one of them", "these rules say the same"))
	}
	return out
}

// ruleText renders a rule without its comment, its keys in order.
func ruleText(r *jsontree.Node) string {
	fields := map[string]string{}
	for i, k := range r.Keys {
		if k != "comment" {
			fields[k] = r.Items[i].Scalar()
		}
	}
	var b strings.Builder
	for _, k := range sortedKeys(fields) {
		b.WriteString(strconv.Quote(k) + strconv.Quote(fields[k]))
	}
	return b.String()
}
