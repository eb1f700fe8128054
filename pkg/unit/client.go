package unit

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"syscall"
)

// maxBody is the largest request or answer that is read, in bytes.
const maxBody = 4 << 20

// Client speaks to the host on the other end of a Unix socket. It holds no
// connection between calls, so there is nothing to close, and the host may come
// and go.
type Client struct {
	http *http.Client
	path string
}

var _ Host = (*Client)(nil)

// Dial returns the client of the host at address, "unix:" and the absolute path
// of its socket. It does not connect yet.
func Dial(address string) (*Client, error) {
	path, ok := strings.CutPrefix(address, "unix:")
	if !ok || !filepath.IsAbs(path) {
		return nil, fmt.Errorf("address of the host %q: want unix:/path/to/socket", address)
	}
	path = filepath.Clean(path)
	return &Client{path: path, http: &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialSocket(ctx, path)
		},
	}}}, nil
}

// Define records the unit, see [Manager].
func (c *Client) Define(ctx context.Context, u Unit) (bool, error) {
	if err := u.Validate(); err != nil {
		return false, err
	}
	var answer defined
	err := c.call(ctx, http.MethodPut, unitPath(u.Name, ""), u, &answer)
	return answer.Changed, err
}

// Start starts the unit, see [Manager].
func (c *Client) Start(ctx context.Context, name string) error { return c.verb(ctx, name, "start") }

// Stop stops the unit, see [Manager].
func (c *Client) Stop(ctx context.Context, name string) error { return c.verb(ctx, name, "stop") }

// Restart restarts the unit, see [Manager].
func (c *Client) Restart(ctx context.Context, name string) error { return c.verb(ctx, name, "restart") }

// Reload signals the unit to reload, see [Manager].
func (c *Client) Reload(ctx context.Context, name string) error { return c.verb(ctx, name, "reload") }

// Remove stops and forgets the unit, see [Manager].
func (c *Client) Remove(ctx context.Context, name string) error {
	if err := ValidName(name); err != nil {
		return err
	}
	return c.call(ctx, http.MethodDelete, unitPath(name, ""), nil, nil)
}

// Status tells about one unit, see [Manager].
func (c *Client) Status(ctx context.Context, name string) (Status, error) {
	if err := ValidName(name); err != nil {
		return Status{}, err
	}
	var s Status
	err := c.call(ctx, http.MethodGet, unitPath(name, ""), nil, &s)
	return s, err
}

// List tells about all units, see [Manager].
func (c *Client) List(ctx context.Context) ([]Status, error) {
	var list []Status
	err := c.call(ctx, http.MethodGet, "/units", nil, &list)
	return list, err
}

// Info tells about the host, see [Host].
func (c *Client) Info(ctx context.Context) (Info, error) {
	var i Info
	err := c.call(ctx, http.MethodGet, "/", nil, &i)
	return i, err
}

// Shutdown ends the host and all its units, see [Host].
func (c *Client) Shutdown(ctx context.Context) error {
	return c.call(ctx, http.MethodPost, "/shutdown", nil, nil)
}

func (c *Client) verb(ctx context.Context, name, verb string) error {
	if err := ValidName(name); err != nil {
		return err
	}
	return c.call(ctx, http.MethodPost, unitPath(name, verb), nil, nil)
}

func unitPath(name, verb string) string {
	p := "/units/" + url.PathEscape(name)
	if verb != "" {
		p += "/" + verb
	}
	return p
}

// call sends in, if any, and decodes the answer into out, if any.
func (c *Client) call(ctx context.Context, method, path string, in, out any) error {
	req, err := request(ctx, method, path, in)
	if err != nil {
		return err
	}
	res, err := c.http.Do(req)
	if err != nil {
		return c.transportError(method, path, err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxBody))
	if err != nil {
		return c.transportError(method, path, err)
	}
	if res.StatusCode >= http.StatusBadRequest {
		return answeredError(res.StatusCode, body)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(body, out); err != nil {
		return fmt.Errorf("decode the host's answer to %s %s: %w", method, path, err)
	}
	return nil
}

func request(ctx context.Context, method, path string, in any) (*http.Request, error) {
	var body io.Reader = http.NoBody
	if in != nil {
		raw, err := json.Marshal(in)
		if err != nil {
			return nil, fmt.Errorf("encode %s %s: %w", method, path, err)
		}
		body = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://host"+path, body)
	if err != nil {
		return nil, fmt.Errorf("make request %s %s: %w", method, path, err)
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	return req, nil
}

// transportError tells a host that is not there from other trouble.
func (c *Client) transportError(method, path string, err error) error {
	gone := errors.Is(err, syscall.ENOENT) || errors.Is(err, syscall.ECONNREFUSED) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
	if gone {
		return fmt.Errorf("%w (%s %s at %s): %w", ErrUnavailable, method, path, c.path, err)
	}
	return fmt.Errorf("ask the host at %s: %s %s: %w", c.path, method, path, err)
}

func answeredError(status int, body []byte) error {
	var f fault
	if err := json.Unmarshal(body, &f); err != nil || f.Message == "" {
		return fmt.Errorf("the host answered %d: %.200q", status, body)
	}
	return f.err()
}
