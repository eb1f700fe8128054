package events

import (
	"fmt"
	"strings"
)

// Grant is one thing that an identity may do with the streams: a service of the
// account that holds them, imported under a subject of the identity's own.
type Grant struct {
	Identity Identity
	Subject  string // in the account of the streams
	As       string // in the identity's account
	// Stream says that several answers may come.
	Stream bool
}

// Accounts returns the accounts of the bus as nats-server's configuration has
// them: one that holds the streams, with the bootstrap user, and one for every
// identity, which imports exactly what the contract grants it. keys holds the
// public nkey of each identity.
//
// Publish permissions inside one account would not do: the server sends the
// answers of its JetStream API to whatever reply subject a client names, so a
// speaker could have an answer stored as somebody else's word. Across accounts
// such an answer stays with whoever asked.
func Accounts(keys map[Identity]string) (map[string]any, error) {
	accounts := map[string]any{"SYS": map[string]any{}}
	var exports []any
	imports := map[Identity][]any{}
	for _, g := range Grants() {
		export := map[string]any{"service": g.Subject, "accounts": []string{account(g.Identity)}}
		if g.Stream {
			export["response_type"] = "stream"
		}
		exports = append(exports, export)
		from := map[string]any{"account": busAccount, "subject": g.Subject}
		imports[g.Identity] = append(imports[g.Identity], map[string]any{"service": from, "to": g.As})
	}
	for _, s := range Contract() {
		for _, speaker := range s.Speakers {
			live := liveTopic + "." + s.Stored(speaker)
			exports = append(exports, map[string]any{"stream": live, "accounts": []string{account(Ops)}})
			from := map[string]any{"account": busAccount, "subject": live}
			imports[Ops] = append(imports[Ops], map[string]any{"stream": from, "to": s.Name()})
		}
	}
	for _, id := range append([]Identity{Ops}, Services()...) {
		if keys[id] == "" {
			return nil, fmt.Errorf("accounts of the bus: no key of %s", id)
		}
		accounts[account(id)] = map[string]any{"users": []any{map[string]any{"nkey": keys[id]}}, "imports": imports[id]}
	}
	if keys[Bootstrap] == "" {
		return nil, fmt.Errorf("accounts of the bus: no key of %s", Bootstrap)
	}
	accounts[busAccount] = map[string]any{
		"jetstream": "enabled", "exports": exports,
		"users": []any{map[string]any{"nkey": keys[Bootstrap]}},
	}
	return accounts, nil
}

const busAccount = "BUS"

func account(id Identity) string { return strings.ToUpper(string(id)) }

// Grants returns every right of every identity, from the contract alone.
func Grants() []Grant {
	var out []Grant
	for _, s := range Contract() {
		for _, id := range s.Speakers {
			out = append(out, Grant{Identity: id, Subject: s.Stored(id), As: s.Name()})
		}
		for _, id := range s.Listeners {
			out = append(out, consume(id, StreamEvents, Durable(id, s.Name()))...)
		}
	}
	for _, b := range Buckets() {
		out = append(out, Grant{Identity: b.Writer, Subject: "$KV." + b.Name + ".>", As: apiPrefix + ".$KV." + b.Name + ".>"})
		for _, id := range append([]Identity{b.Writer}, b.Readers...) {
			if id != Ops { // has the whole API
				out = append(out, readBucket(id, b.Name)...)
			}
		}
	}
	for _, id := range Services() {
		out = append(out, Grant{Identity: id, Subject: "deadletter." + string(id), As: "deadletter." + string(id)})
		out = append(out, Grant{Identity: Ops, Subject: "replay." + string(id), As: "replay." + string(id)})
		out = append(out, api(id, "DIRECT.GET."+StreamEvents))
		out = append(out, consume(id, StreamReplays, replayDurable(id))...)
	}
	return append(out,
		Grant{Identity: Proxyconf, Subject: "sealed.>", As: "sealed.>"},
		api(Proxyconf, "STREAM.PURGE."+StreamSealed),
		api(Gateway, "DIRECT.GET."+StreamSealed+".sealed.>"),
		api(Ops, ">"),
	)
}

func api(id Identity, call string) Grant {
	return Grant{Identity: id, Subject: "$JS.API." + call, As: apiPrefix + "." + call, Stream: true}
}

func consume(id Identity, stream, durable string) []Grant {
	ack := fmt.Sprintf("$JS.ACK.%s.%s.>", stream, durable)
	return []Grant{
		api(id, fmt.Sprintf("CONSUMER.INFO.%s.%s", stream, durable)),
		api(id, fmt.Sprintf("CONSUMER.MSG.NEXT.%s.%s", stream, durable)),
		{Identity: id, Subject: ack, As: ack},
	}
}

func readBucket(id Identity, bucket string) []Grant {
	return []Grant{
		api(id, "STREAM.INFO.KV_"+bucket),
		api(id, "DIRECT.GET.KV_"+bucket),
		api(id, fmt.Sprintf("DIRECT.GET.KV_%s.$KV.%s.>", bucket, bucket)),
	}
}
