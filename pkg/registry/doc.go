// Package registry decides who holds which service name and which host.
//
// Several services hear the same service.registered and service.removed, each
// through consumers of its own: twice, late, in any order. They must agree all
// the same, because one of them signs certificates for the hosts that the other
// routes. So the decision is made here, by pure rules, and is a function of the
// set of messages alone:
//
//   - The messages are judged in the order in which the bus stored them, not in
//     the order in which they arrive. One that arrives late is put into its
//     place, and whatever it touches is judged again. A registration that was
//     good so far may thereby turn out to be refused; [Ledger.Register] and
//     [Ledger.Remove] report that as a [Change].
//   - A registration is granted when nobody else holds its name or any of its
//     hosts at its place in the order, wholly or not at all. So the first one
//     gets a host, and the second is refused.
//   - A name belongs to whoever registered it. The operator alone may remove a
//     name that somebody else registered; nobody may register over it.
//   - A removal frees the name and its hosts. They go to nobody: a registration
//     that was refused stays refused, else a claim that somebody once made in
//     vain would snatch the host in the moment between two registrations of its
//     rightful holder. Whoever still wants the host registers again, or has the
//     dead letter replayed: a replayed message is judged at the place in the
//     order where the replay was asked for, by everybody who decides.
//
// To put late messages into their place, the ledger remembers the last few
// messages of each name, refused ones too, up to [maxRecords]. Beyond that the
// oldest ones that no longer matter are forgotten; only a message that comes
// later than that many others about the same name could be judged differently.
package registry
