package stepca

import (
	"context"
	"net/netip"

	"github.com/smallstep/certificates/acme"
)

// orders is step-ca's ACME database that refuses an order for what nobody
// claims when it is made, before a challenge is answered in vain. The
// certificate is checked again when it is signed.
type orders struct {
	acme.DB
	claims Claims
}

// CreateAuthorization implements acme.DB. step-ca calls it for each identifier
// of a new order.
func (o orders) CreateAuthorization(ctx context.Context, az *acme.Authorization) error {
	if err := o.claims.Check(ctx, orderRequest(az)); err != nil {
		return rejected(err)
	}
	return o.DB.CreateAuthorization(ctx, az)
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
