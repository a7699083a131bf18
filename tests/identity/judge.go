// What: go-spiffe's verdicts on the files that compare.py lists: {"file", "trust", "at",
// "audience"}, a JSON line each; an id or "refused: why" a line.
// Why: a second judge of the same files.
// Who: compare.py.
package main

import (
	"bufio"
	"bytes"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spiffe/go-spiffe/v2/bundle/spiffebundle"
	"github.com/spiffe/go-spiffe/v2/spiffeid"
	"github.com/spiffe/go-spiffe/v2/svid/jwtsvid"
	"github.com/spiffe/go-spiffe/v2/svid/x509svid"
)

type question struct {
	File     string
	Trust    map[string][]string
	At       time.Time
	Audience *string
}

func bundles(trust map[string][]string) (*spiffebundle.Set, error) {
	set := spiffebundle.NewSet()
	for name, files := range trust {
		domain, err := spiffeid.TrustDomainFromString(name)
		if err != nil {
			return nil, err
		}
		all := spiffebundle.New(domain)
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				return nil, err
			}
			if err := add(all, domain, text); err != nil {
				return nil, fmt.Errorf("bundle: %w", err)
			}
		}
		set.Add(all)
	}
	return set, nil
}

func add(all *spiffebundle.Bundle, domain spiffeid.TrustDomain, text []byte) error {
	if bytes.HasPrefix(text, []byte("{")) {
		var set struct{ Keys []json.RawMessage }
		if err := json.Unmarshal(text, &set); err != nil {
			return err
		}
		// go-jose refuses a set for an entry that it does not know: each is read alone.
		for _, entry := range set.Keys {
			one, _ := json.Marshal(map[string]any{"keys": []json.RawMessage{entry}})
			read, err := spiffebundle.Parse(domain, one)
			if err != nil {
				continue
			}
			for _, each := range read.X509Authorities() {
				all.AddX509Authority(each)
			}
			for id, key := range read.JWTAuthorities() {
				if err := all.AddJWTAuthority(id, key); err != nil {
					return err
				}
			}
		}
		return nil
	}
	read, err := certificates(text)
	for _, each := range read {
		all.AddX509Authority(each)
	}
	return err
}

func certificates(text []byte) ([]*x509.Certificate, error) {
	var all []*x509.Certificate
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		each, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		all = append(all, each)
	}
	if len(all) == 0 {
		return nil, errors.New("no certificates")
	}
	return all, nil
}

func judge(q question) (string, error) {
	set, err := bundles(q.Trust)
	if err != nil {
		return "", err
	}
	text, err := os.ReadFile(q.File)
	if err != nil {
		return "", err
	}
	if bytes.Contains(text, []byte("-----BEGIN ")) {
		chain, err := certificates(text)
		if err != nil {
			return "", err
		}
		id, _, err := x509svid.Verify(chain, set, x509svid.WithTime(q.At))
		return id.String(), err
	}
	if q.Audience == nil {
		return "", errors.New("no audience")
	}
	svid, err := jwtsvid.ParseAndValidate(strings.TrimSpace(string(text)), set, []string{*q.Audience})
	if err != nil {
		return "", err
	}
	return svid.ID.String(), nil
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var q question
		if err := json.Unmarshal(lines.Bytes(), &q); err != nil {
			panic(err)
		}
		if id, err := judge(q); err != nil {
			fmt.Printf("refused: %s\n", strings.ReplaceAll(err.Error(), "\n", " "))
		} else {
			fmt.Println(id)
		}
	}
}
