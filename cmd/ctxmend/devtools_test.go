//go:build unix

package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
)

// A browser is a headless Chromium, spoken to by its DevTools protocol over a pipe. The protocol is JSON; a library for the six
// messages that tests need would be larger than they are.
type browser struct {
	t       *testing.T
	in      io.Writer
	out     *bufio.Reader
	id      int
	session string
	// complaints are what pages have written to the console, and the exceptions they have thrown.
	complaints []string
	// loaded are the documents that have been loaded, by the names that the browser gives them.
	loaded map[string]bool
}

// startBrowser starts Chromium. Without one the test is skipped, or fails where everything has to be tested.
func startBrowser(t *testing.T) *browser {
	t.Helper()
	i := slices.IndexFunc(browsers, func(name string) bool { _, err := exec.LookPath(name); return err == nil })
	if i < 0 {
		if os.Getenv("CI") != "" {
			t.Fatalf("no browser: install one of %q", browsers)
		}
		t.Skipf("needs one of %q, as in Debian's package chromium", browsers)
	}
	toBrowser, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	out, fromBrowser, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	cmd := exec.Command(browsers[i], "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking",
		"--disable-breakpad", "--disable-crash-reporter", "--remote-debugging-pipe", "--window-size=1400,1000", "--user-data-dir="+home, "about:blank")
	cmd.Env = append(os.Environ(), "HOME="+home)
	cmd.ExtraFiles = []*os.File{toBrowser, fromBrowser} // descriptors 3 and 4
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	toBrowser.Close()
	fromBrowser.Close()
	b := &browser{t: t, in: in, out: bufio.NewReader(out), loaded: map[string]bool{}}
	t.Cleanup(func() {
		b.session = ""
		b.send("Browser.close", nil)
		io.Copy(io.Discard, b.out)
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // what it leaves behind would write to its directory
		cmd.Wait()
		in.Close()
		out.Close()
	})
	var target struct{ TargetID, SessionID string }
	b.call("Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	b.call("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &target)
	b.session = target.SessionID
	for _, domain := range []string{"Page", "Runtime", "Log", "Network"} {
		b.call(domain+".enable", nil, nil)
	}
	b.call("Page.setLifecycleEventsEnabled", map[string]any{"enabled": true}, nil)
	return b
}

// browsers are the names that Chromium and its relatives go by.
var browsers = []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"}

// A message is one of the protocol.
type message struct {
	ID     int             `json:"id"`
	Method string          `json:"method"`
	Params json.RawMessage `json:"params"`
	Result json.RawMessage `json:"result"`
	Error  *struct {
		Message string `json:"message"`
	} `json:"error"`
}

func (b *browser) send(method string, params any) {
	b.id++
	m := map[string]any{"id": b.id, "method": method, "params": params}
	if params == nil {
		m["params"] = struct{}{}
	}
	if b.session != "" {
		m["sessionId"] = b.session
	}
	data, err := json.Marshal(m)
	if err != nil {
		b.t.Fatal(err)
	}
	b.in.Write(append(data, 0)) // a browser that is gone shows when it is read from
}

// call asks for something and waits for the answer.
func (b *browser) call(method string, params, result any) {
	b.t.Helper()
	b.send(method, params)
	for id := b.id; ; {
		m := b.receive()
		if m.ID != id {
			continue
		}
		if m.Error != nil {
			b.t.Fatalf("%s: %s", method, m.Error.Message)
		}
		if result != nil {
			if err := json.Unmarshal(m.Result, result); err != nil {
				b.t.Fatal(err)
			}
		}
		return
	}
}

// receive reads one message, and notes what it tells of the page.
func (b *browser) receive() *message {
	b.t.Helper()
	data, err := b.out.ReadBytes(0)
	if err != nil {
		b.t.Fatalf("the browser is gone: %v", err)
	}
	m := &message{}
	if err := json.Unmarshal(data[:len(data)-1], m); err != nil {
		b.t.Fatal(err)
	}
	switch m.Method {
	case "Page.lifecycleEvent":
		var p struct{ LoaderID, Name string }
		json.Unmarshal(m.Params, &p)
		b.loaded[p.LoaderID] = b.loaded[p.LoaderID] || p.Name == "load"
	case "Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded":
		b.complaints = append(b.complaints, string(m.Params))
	case "Network.requestWillBeSent":
		var p struct{ Request struct{ URL string } }
		json.Unmarshal(m.Params, &p)
		if u, err := url.Parse(p.Request.URL); err != nil || u.Scheme != "file" && u.Scheme != "about" {
			b.complaints = append(b.complaints, "asks for "+p.Request.URL)
		}
	}
	return m
}

// open loads a file, with a fragment.
func (b *browser) open(name, fragment string) {
	b.t.Helper()
	name, err := filepath.Abs(name)
	if err != nil {
		b.t.Fatal(err)
	}
	u := url.URL{Scheme: "file", Path: name, Fragment: fragment}
	var page struct{ LoaderID string }
	b.call("Page.navigate", map[string]any{"url": u.String()}, &page)
	for !b.loaded[page.LoaderID] {
		b.receive()
	}
	if b.eval(`document.documentElement.classList.contains("scripted")`) != true {
		b.t.Fatalf("the script of the page does not run: %q", b.complaints)
	}
}

// eval evaluates an expression in the page, and waits when it is a promise.
func (b *browser) eval(expr string) any {
	b.t.Helper()
	var out struct {
		Result           struct{ Value any }
		ExceptionDetails *struct{ Exception struct{ Description string } }
	}
	b.call("Runtime.evaluate", map[string]any{"expression": expr, "awaitPromise": true, "returnByValue": true}, &out)
	if out.ExceptionDetails != nil {
		b.t.Fatalf("%s: %s", expr, out.ExceptionDetails.Exception.Description)
	}
	return out.Result.Value
}

// until waits for a condition to hold in the page, which it looks at again and again, but not for ever.
func (b *browser) until(cond string) {
	b.t.Helper()
	b.eval(fmt.Sprintf(`new Promise((done, never) => {
		let looks = 0;
		const look = () => %s ? done(true) : ++looks > 5000 ? never(new Error("it never happens")) : setTimeout(look, 5);
		look();
	})`, cond))
}

// key presses a key.
func (b *browser) key(key string) {
	b.t.Helper()
	text := ""
	if len(key) == 1 {
		text = key
	}
	if key == "Enter" {
		text = "\r"
	}
	b.call("Input.dispatchKeyEvent", map[string]any{"type": "keyDown", "key": key, "text": text, "windowsVirtualKeyCode": keyCodes[key]}, nil)
	b.call("Input.dispatchKeyEvent", map[string]any{"type": "keyUp", "key": key}, nil)
}

var keyCodes = map[string]int{"Enter": 13, "Escape": 27}

// screenshot returns what the page looks like, as PNG.
func (b *browser) screenshot(whole bool) []byte {
	b.t.Helper()
	var out struct{ Data string }
	b.call("Page.captureScreenshot", map[string]any{"format": "png", "captureBeyondViewport": whole}, &out)
	data, err := base64.StdEncoding.DecodeString(out.Data)
	if err != nil {
		b.t.Fatal(err)
	}
	return data
}
