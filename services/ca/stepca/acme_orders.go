package stepca

import (
	"context"
	"net/netip"
	"sync"

	"github.com/smallstep/certificates/acme"
)

// orders is step-ca's ACME database with two differences.
//
// An order for what nobody claims is refused when it is made, before a challenge
// is answered in vain. (The certificate is checked again when it is signed.)
//
// And orders of one account may be made side by side: to make one, step-ca
// brings all open orders of the account up to date, and fails when one of them
// is changed meanwhile. A client like Traefik, which has one account and tries
// an order once, would be left without a certificate.
type orders struct {
	acme.DB
	claims Claims
	states *sync.RWMutex // written by CreateOrder for all, by the others for one
}

// CreateAuthorization implements acme.DB. step-ca calls it for each identifier
// of a new order.
func (o orders) CreateAuthorization(ctx context.Context, az *acme.Authorization) error {
	if err := o.claims.Check(ctx, orderRequest(az)); err != nil {
		return rejected(err)
	}
	return o.DB.CreateAuthorization(ctx, az)
}

// CreateOrder implements acme.DB.
func (o orders) CreateOrder(ctx context.Context, order *acme.Order) error {
	o.states.Lock()
	defer o.states.Unlock()
	return o.DB.CreateOrder(ctx, order)
}

// UpdateOrder implements acme.DB.
func (o orders) UpdateOrder(ctx context.Context, order *acme.Order) error {
	o.states.RLock()
	defer o.states.RUnlock()
	return o.DB.UpdateOrder(ctx, order)
}

// UpdateAuthorization implements acme.DB.
func (o orders) UpdateAuthorization(ctx context.Context, az *acme.Authorization) error {
	o.states.RLock()
	defer o.states.RUnlock()
	return o.DB.UpdateAuthorization(ctx, az)
}

func orderRequest(az *acme.Authorization) Request {
	r := Request{Way: WayACME}
	ip, err := netip.ParseAddr(az.Identifier.Value)
	switch {
	case err == nil:
		r.IPs = []netip.Addr{ip.Unmap()}
	case az.Wildcard:
		r.DNS = []string{"*." + az.Identifier.Value}
	default:
		r.DNS = []string{az.Identifier.Value}
	}
	return r
}
