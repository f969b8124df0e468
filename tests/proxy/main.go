// Passes requests on to an API server and fails some of them by rule, over HTTP/2 as the API server
// itself speaks it: what a TCP proxy can't do.
//
//	faults --upstream https://127.0.0.1:6443 --pki FOLDER [--count FILE] [RULE...] -- COMMAND...
//
// runs the command with $PORT, and writes how many requests came, by method and path, as JSON to
// FILE. FOLDER has server.crt and server.key to serve with, and admin.crt, admin.key and ca.crt to
// ask the API server with: who asks here is the administrator. A rule fails requests that change
// something (no dry runs, no Leases), counted from 1:
//
//	429=N[,S]    every Nth is answered with 429, with Retry-After of S seconds if given
//	503=N[,S]    the same with 503
//	reset=N      every Nth stream is reset, in turns before and after the API server has done it
//	close=N      every Nth closes the connection without a word, in turns as reset
//	goaway=N     every Nth is the last of its connection, by GOAWAY
//	silent=N     the Nth and all else on its connection get no byte any more
//	window=N,S   the first N are answered, then all are refused with 429 for S seconds
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

type rule struct {
	what    string
	every   int64
	seconds string
}

type faults struct {
	rules   []rule
	forward *httputil.ReverseProxy
	changes atomic.Int64
	refused atomic.Int64 // unix nanoseconds until which "window" refuses
	lock    sync.Mutex
	counts  map[string]int
}

// connection is a client's, with a switch that makes it silent.
type connection struct {
	net.Conn
	silent atomic.Bool
}

func (c *connection) Write(bytes []byte) (int, error) {
	if c.silent.Load() {
		return len(bytes), nil
	}
	return c.Conn.Write(bytes)
}

type listener struct{ net.Listener }

func (l listener) Accept() (net.Conn, error) {
	inner, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &connection{Conn: inner}, nil
}

type connectionKey struct{}

func parse(text string) rule {
	what, value, _ := strings.Cut(text, "=")
	number, seconds, _ := strings.Cut(value, ",")
	every, err := strconv.ParseInt(number, 10, 64)
	if err != nil || every < 1 {
		log.Fatalf("faults: a rule is WHAT=N[,SECONDS], not %q", text)
	}
	return rule{what, every, seconds}
}

func isChange(r *http.Request) bool {
	return r.Method != "GET" && !strings.Contains(r.URL.RawQuery, "dryRun=") && !strings.Contains(r.URL.Path, "/leases")
}

func refuse(w http.ResponseWriter, status int, seconds string) {
	w.Header().Set("Content-Type", "application/json")
	if seconds != "" {
		w.Header().Set("Retry-After", seconds)
	}
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","message":"refused by a rule of the tests","code":%d}`, status)
}

// forget does a request without its answer.
type forget struct{ header http.Header }

func (f forget) Header() http.Header             { return f.header }
func (f forget) Write(bytes []byte) (int, error) { return len(bytes), nil }
func (f forget) WriteHeader(int)                 {}

func (f *faults) count(r *http.Request) {
	key := r.Method + " " + r.URL.Path
	if strings.Contains(r.URL.RawQuery, "dryRun=") {
		key = "DRY " + r.URL.Path
	}
	f.lock.Lock()
	f.counts[key]++
	f.lock.Unlock()
}

func (f *faults) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.count(r)
	if !isChange(r) {
		f.forward.ServeHTTP(w, r)
		return
	}
	number := f.changes.Add(1)
	for _, rule := range f.rules {
		if rule.what == "window" {
			seconds, _ := strconv.ParseFloat(rule.seconds, 64)
			if number == rule.every+1 {
				f.refused.Store(time.Now().Add(time.Duration(seconds * 1e9)).UnixNano())
			}
			if time.Now().UnixNano() < f.refused.Load() {
				refuse(w, 429, "")
				return
			}
			continue
		}
		if number%rule.every != 0 {
			continue
		}
		done := number/rule.every%2 == 0 // every other time it is done before
		switch rule.what {
		case "429", "503":
			status, _ := strconv.Atoi(rule.what)
			refuse(w, status, rule.seconds)
			return
		case "reset":
			if done {
				f.forward.ServeHTTP(forget{http.Header{}}, r)
			}
			panic(http.ErrAbortHandler)
		case "close":
			if done {
				f.forward.ServeHTTP(forget{http.Header{}}, r)
			}
			r.Context().Value(connectionKey{}).(net.Conn).Close()
			return
		case "goaway":
			w.Header().Set("Connection", "close")
		case "silent":
			if number == rule.every {
				inner := r.Context().Value(connectionKey{}).(*tls.Conn).NetConn()
				inner.(*connection).silent.Store(true)
			}
		default:
			log.Fatalf("faults: there is no rule %q", rule.what)
		}
	}
	f.forward.ServeHTTP(w, r)
}

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatalf("faults: %v", err)
	}
	return value
}

func transport(pki string) *http.Transport {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(must(os.ReadFile(filepath.Join(pki, "ca.crt"))))
	pair := must(tls.LoadX509KeyPair(filepath.Join(pki, "admin.crt"), filepath.Join(pki, "admin.key")))
	return &http.Transport{
		TLSClientConfig:   &tls.Config{RootCAs: pool, Certificates: []tls.Certificate{pair}},
		ForceAttemptHTTP2: true,
	}
}

func main() {
	upstream := flag.String("upstream", "", "URL of the API server")
	pki := flag.String("pki", "", "folder of certificates")
	counts := flag.String("count", "", "file for the counts")
	flag.Parse()
	log.SetFlags(0)
	arguments := flag.Args()
	f := &faults{counts: map[string]int{}}
	for len(arguments) > 0 && strings.Contains(arguments[0], "=") {
		f.rules = append(f.rules, parse(arguments[0]))
		arguments = arguments[1:]
	}
	if len(arguments) > 0 && arguments[0] == "--" {
		arguments = arguments[1:]
	}
	if len(arguments) == 0 {
		log.Fatal("faults: no command")
	}
	target := must(url.Parse(*upstream))
	f.forward = &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport:     transport(*pki),
		FlushInterval: -1, // watches
		ErrorLog:      log.New(os.Stderr, "faults: ", 0),
	}
	inner := listener{must(net.Listen("tcp", "127.0.0.1:0"))}
	server := &http.Server{
		Handler:  f,
		ErrorLog: log.New(must(os.OpenFile(os.DevNull, os.O_WRONLY, 0)), "", 0),
		ConnContext: func(parent context.Context, conn net.Conn) context.Context {
			return context.WithValue(parent, connectionKey{}, conn)
		},
	}
	server.HTTP2 = &http.HTTP2Config{MaxConcurrentStreams: 100} // as the API server
	go server.ServeTLS(inner, filepath.Join(*pki, "server.crt"), filepath.Join(*pki, "server.key"))

	_, port, _ := net.SplitHostPort(inner.Addr().String())
	command := exec.Command(arguments[0], arguments[1:]...)
	command.Env = append(os.Environ(), "PORT="+port)
	command.Stdin, command.Stdout, command.Stderr = os.Stdin, os.Stdout, os.Stderr
	err := command.Run()
	if *counts != "" {
		f.lock.Lock()
		must(0, os.WriteFile(*counts, must(json.Marshal(f.counts)), 0o644))
		f.lock.Unlock()
	}
	if err != nil && command.ProcessState == nil {
		log.Fatalf("faults: %v", err)
	}
	os.Exit(command.ProcessState.ExitCode())
}
