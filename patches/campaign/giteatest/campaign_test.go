package giteatest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const settingsOfCampaign = `version: 1
name: keys
forge: {kind: gitea, url: %q, token_env: GITEA_TOKEN}
targets: {organization: acme, repositories: [ops/locked]}
pull_request: {labels: [ctxmend, bot], reviewers: [ada]}
limits: {per_hour: 1000, clones: 2}
`

// A campaign is one that a test carries out.
type campaign struct {
	t       *testing.T
	s       *server
	g       *gate
	command string
	dir     string
	token   string
	heard   bytes.Buffer // everything that ctxmend has said
	samples map[string]sample
}

// TestCampaign carries a campaign out, on a Gitea that it is killed in front of again and again.
func TestCampaign(t *testing.T) {
	g := newGate(t)
	s := serve(t, g.url)
	g.leads(t, s.url)
	c := &campaign{t: t, s: s, g: g, dir: t.TempDir()}
	c.command = build(t, "ctxmend", "../../..", "./cmd/ctxmend")
	c.token = s.user("bot")
	s.user("ada")
	s.organization("acme", "bot", "ada")
	pwned := filepath.Join(c.dir, "pwned")
	c.samples = samples(pwned)
	s.found(c.samples)
	if err := os.WriteFile(filepath.Join(c.dir, "campaign.yaml"), fmt.Appendf(nil, settingsOfCampaign, g.url), 0o666); err != nil {
		t.Fatal(err)
	}

	t.Logf("planning")
	c.plan()
	t.Logf("killing")
	c.killed()
	t.Logf("opened")
	c.opened()
	t.Logf("idle")
	c.idle()
	t.Logf("people")
	c.people()
	t.Logf("closed")
	c.closed()
	t.Logf("secret")
	c.secret()
	if _, err := os.Lstat(pwned); !errors.Is(err, fs.ErrNotExist) {
		t.Error("something of a repository was run")
	}
}

// start makes a process of ctxmend campaign.
func (c *campaign) start(args ...string) (cmd *exec.Cmd, stdout *bytes.Buffer) {
	cmd = exec.Command(c.command, append([]string{"campaign"}, args...)...)
	cmd.Dir = c.dir
	cmd.Env = append(os.Environ(), "GITEA_TOKEN="+c.token, "HOME="+c.dir, "XDG_CACHE_HOME="+filepath.Join(c.dir, "cache"), "GOPROXY=off", "CTXMEND_QUEUE=")
	stdout = &bytes.Buffer{}
	cmd.Stdout, cmd.Stderr = stdout, &c.heard
	return cmd, stdout
}

// finish runs ctxmend campaign to its end. Some repositories fail, so the exit code may be 1.
func (c *campaign) finish(args ...string) []byte {
	c.t.Helper()
	cmd, stdout := c.start(args...)
	err := cmd.Run()
	c.heard.Write(stdout.Bytes())
	if code := cmd.ProcessState.ExitCode(); code != 0 && code != 1 {
		c.t.Fatalf("campaign %v: %v\n%s", args, err, c.heard.String())
	}
	return stdout.Bytes()
}

// pulls are the pull requests of a repository. An empty one and a fork have no such thing.
func (c *campaign) pulls(repository string) []object {
	c.t.Helper()
	if repository == "acme/empty" || repository == "acme/fork" {
		return nil
	}
	return c.s.list("/repos/" + repository + "/pulls?state=all&limit=50")
}

// branches are those of the campaign in a repository.
func (c *campaign) branches(repository string) []string {
	c.t.Helper()
	var all []string
	for _, b := range c.s.list("/repos/" + repository + "/branches?limit=50") {
		if name := b["name"].(string); strings.HasPrefix(name, "ctxmend/") {
			all = append(all, name)
		}
	}
	return all
}

// everywhere goes through all repositories.
func (c *campaign) everywhere(look func(repository string, s sample)) {
	c.t.Helper()
	for name, s := range c.samples {
		look("acme/"+name, s)
	}
	look("acme/fork", sample{fate: untouched})
	look("ops/locked", sample{fate: untouched})
}

// file is a file of a branch.
func (c *campaign) file(repository, branch, name string) string {
	c.t.Helper()
	return string(c.s.as(c.s.root, "GET", "/repos/"+repository+"/raw/"+name+"?ref="+branch, nil))
}

// head is the commit of a branch, with its parents.
func (c *campaign) head(repository, branch string) (hash string, parents []string) {
	c.t.Helper()
	found := c.s.do("GET", "/repos/"+repository+"/branches/"+branch, nil)
	hash = found["commit"].(object)["id"].(string)
	commit := c.s.do("GET", "/repos/"+repository+"/git/commits/"+hash, nil)
	for _, p := range commit["parents"].([]any) {
		parents = append(parents, p.(object)["sha"].(string))
	}
	return hash, parents
}

// plan changes nothing, and says what would be done.
func (c *campaign) plan() {
	c.t.Helper()
	c.g.since()
	var doc struct {
		Repositories []struct {
			Name    string
			Changes []struct{ Branch string }
		}
	}
	if err := json.Unmarshal(c.finish("plan", "--format", "json"), &doc); err != nil {
		c.t.Fatal(err)
	}
	for _, request := range c.g.since() {
		if !strings.HasPrefix(request, "GET ") && !strings.HasSuffix(request, "/git-upload-pack") {
			c.t.Errorf("plan sent %s", request)
		}
	}
	planned := 0
	for _, r := range doc.Repositories {
		planned += len(r.Changes)
		if r.Name == "acme/human-branch" && len(r.Changes) == 1 {
			// Somebody has a branch of that name already.
			c.s.commit(c.s.root, r.Name, "main", r.Changes[0].Branch, map[string]string{"human.txt": "mine\n"})
		}
	}
	if want := c.count(changed); planned < want {
		c.t.Errorf("%d changes planned, of at least %d:\n%s", planned, want, c.heard.String())
	}
	c.everywhere(func(repository string, _ sample) {
		if repository != "acme/human-branch" && len(c.branches(repository))+len(c.pulls(repository)) > 0 {
			c.t.Errorf("%s was touched by a plan", repository)
		}
	})
}

func (c *campaign) count(f fate) int {
	n := 0
	for _, s := range c.samples {
		if s.fate == f {
			n++
		}
	}
	return n
}

// killed kills runs at every step, and looks that nothing is there twice.
func (c *campaign) killed() {
	c.t.Helper()
	for _, at := range []place{
		{"listing", "GET", "/orgs/acme/repos", 1, before},
		{"cloning", "POST", "/git-upload-pack", 3, before},
		{"analysing", "POST", "/git-upload-pack", 4, later},
		{"pushing", "POST", "/git-receive-pack", 1, before},
		{"having pushed", "POST", "/git-receive-pack", 1, after},
		{"opening", "POST", "/pulls", 1, before},
		{"having opened", "POST", "/pulls", 1, after},
		{"making a label", "POST", "/labels", 1, after},
		{"labelling", "POST", "/issues/", 1, before},
		{"asking for a review", "POST", "/requested_reviewers", 1, before},
		{"having asked", "POST", "/requested_reviewers", 1, after},
		{"following", "GET", "/reviews", 2, later},
	} {
		cmd, stdout := c.start("run")
		reached := false
		c.t.Logf("killed when %s", at.name)
		c.g.at(at, func() {
			reached = true
			_ = cmd.Process.Kill()
		})
		err := cmd.Run()
		c.heard.Write(stdout.Bytes())
		if !reached || err == nil {
			c.t.Fatalf("%s: not reached (%v)\n%s", at.name, err, c.heard.String())
		}
		c.everywhere(func(repository string, s sample) {
			if b, p := c.branches(repository), c.pulls(repository); len(b) > 1 || len(p) > 1 {
				c.t.Errorf("killed when %s: %s has branches %v and %d pull requests", at.name, repository, b, len(p))
			}
		})
	}
	c.finish("run")
}

// opened looks at what a whole run has made.
func (c *campaign) opened() {
	c.t.Helper()
	c.everywhere(func(repository string, s sample) {
		pulls, branches := c.pulls(repository), c.branches(repository)
		switch {
		case repository == "acme/human-branch":
			if len(pulls) != 0 || c.file(repository, branches[0], "human.txt") != "mine\n" {
				c.t.Errorf("somebody's branch was used: %v", pulls)
			}
			return
		case len(pulls) > 1 || len(branches) > 1, s.fate == changed && len(pulls) != 1, s.fate == untouched && len(pulls)+len(branches) > 0:
			c.t.Errorf("%s: branches %v, %d pull requests", repository, branches, len(pulls))
			return
		case len(pulls) == 0:
			return
		}
		p := pulls[0]
		main := "main"
		if s.branch != "" {
			main = s.branch
		}
		if p["state"] != "open" || p["base"].(object)["ref"] != main || p["user"].(object)["login"] != "bot" || p["head"].(object)["ref"] != branches[0] {
			c.t.Errorf("%s: %v", repository, p)
		}
		if labels, asked := p["labels"].([]any), p["requested_reviewers"].([]any); len(labels) != 2 || len(asked) != 1 {
			c.t.Errorf("%s: labels %v, reviewers %v", repository, labels, asked)
		}
		base, _ := c.head(repository, main)
		if _, parents := c.head(repository, branches[0]); !slices.Equal(parents, []string{base}) {
			c.t.Errorf("%s: the change stands on %v, not on %s", repository, parents, base)
		}
		if repository == "acme/text" {
			return
		}
		if text := c.file(repository, branches[0], "main.go"); !strings.Contains(text, mended) {
			c.t.Errorf("%s becomes\n%s", repository, text)
		}
	})
}

// idle runs once more, and has nothing to do.
func (c *campaign) idle() {
	c.t.Helper()
	c.g.since()
	c.finish("run")
	for _, request := range c.g.since() {
		if !strings.HasPrefix(request, "GET ") && !strings.HasSuffix(request, "/git-upload-pack") && !strings.Contains(request, "/protected.git/") {
			c.t.Errorf("a run with nothing to do sent %s", request)
		}
	}
}

// people answer: one commits to a branch, one closes, one merges, some go on working on the default branch.
func (c *campaign) people() {
	c.t.Helper()
	branch := func(name string) string { return c.branches("acme/" + name)[0] }
	number := func(name string) string { return fmt.Sprint(c.pulls("acme/" + name)[0]["number"]) }
	c.s.commit(c.s.root, "acme/svc-01", branch("svc-01"), "", map[string]string{"human.txt": "mine\n"})
	theirs, _ := c.head("acme/svc-01", branch("svc-01"))
	c.s.do("PATCH", "/repos/acme/svc-02/pulls/"+number("svc-02"), object{"state": "closed"})
	c.s.do("POST", "/repos/acme/svc-03/pulls/"+number("svc-03")+"/merge", object{"Do": "merge", "delete_branch_after_merge": true})
	// Another place of the key, and one more line in the file that changes.
	c.s.commit(c.s.root, "acme/svc-04", "main", "", map[string]string{"more.go": "package main\n\nimport \"context\"\n\nfunc more(ctx context.Context) any { return ctx.Value(\"user\") }\n"})
	c.s.commit(c.s.root, "acme/svc-05", "main", "", map[string]string{"main.go": strings.Replace(program, "show(ctx)\n}", "show(ctx)\n\tfmt.Println(\"done\")\n}", 1)})
	// Somebody mends it by hand.
	c.s.commit(c.s.root, "acme/svc-06", "main", "", map[string]string{"main.go": c.file("acme/svc-06", branch("svc-06"), "main.go")})

	c.finish("run")
	c.finish("sync")
	for name, want := range map[string]string{"svc-01": "open", "svc-02": "closed", "svc-03": "closed", "svc-04": "open", "svc-05": "open"} {
		pulls := c.pulls("acme/" + name)
		if len(pulls) != 1 || pulls[0]["state"] != want || pulls[0]["merged"] != (name == "svc-03") {
			c.t.Errorf("%s: %d pull requests, the first %v, merged %v", name, len(pulls), pulls[0]["state"], pulls[0]["merged"])
		}
	}
	if now, _ := c.head("acme/svc-01", branch("svc-01")); now != theirs {
		c.t.Errorf("the branch that somebody has committed to was moved to %s", now)
	}
	if text := c.file("acme/svc-03", "trunk", "main.go"); !strings.Contains(text, mended) {
		c.t.Errorf("merged, and the default branch has\n%s", text)
	}
	if b := c.branches("acme/svc-03"); len(b) != 0 {
		c.t.Errorf("merged, and there are branches %v", b)
	}
	for name, file := range map[string]string{"svc-04": "more.go", "svc-05": "main.go"} {
		base, _ := c.head("acme/"+name, "main")
		if _, parents := c.head("acme/"+name, branch(name)); !slices.Equal(parents, []string{base}) {
			c.t.Errorf("%s: the change stands on %v; the default branch is at %s", name, parents, base)
		}
		if text := c.file("acme/"+name, branch(name), file); strings.Contains(text, `Value("user")`) || strings.Contains(text, `"user",`) {
			c.t.Errorf("%s: %s is\n%s", name, file, text)
		}
	}
	if text := c.file("acme/svc-05", branch("svc-05"), "main.go"); !strings.Contains(text, `fmt.Println("done")`) {
		c.t.Errorf("somebody's line is gone:\n%s", text)
	}
	c.told(map[string]string{"svc-01": "foreign", "svc-02": "closed", "svc-03": "merged", "svc-04": "open", "svc-05": "open", "svc-00": "open", "human-branch": "foreign"})
}

// told compares what status says with what Gitea has been found to say.
func (c *campaign) told(want map[string]string) {
	c.t.Helper()
	var doc struct {
		Repositories []struct {
			Name, State, Reason string
			Changes             []struct{ State, Reason string }
		}
	}
	if err := json.Unmarshal(c.finish("status", "--format", "json"), &doc); err != nil {
		c.t.Fatal(err)
	}
	for _, r := range doc.Repositories {
		name := strings.TrimPrefix(r.Name, "acme/")
		if state := want[name]; state != "" && (len(r.Changes) != 1 || r.Changes[0].State != state) {
			c.t.Errorf("status says of %s %+v, not %s", r.Name, r, state)
		}
		switch s := c.samples[name]; {
		case r.State == "new" || r.State == "cloned":
			c.t.Errorf("status says of %s %+v", r.Name, r)
		case (s.files == nil || name == "archived" || name == "toolchain") && (r.State == "analysed" || r.Reason == ""):
			c.t.Errorf("status says of %s %+v", r.Name, r)
		}
	}
	if len(doc.Repositories) != len(c.samples)+2 {
		c.t.Errorf("status knows %d repositories", len(doc.Repositories))
	}
}

// closed withdraws what nobody has answered, is killed in the middle, and leaves alone what is people's.
func (c *campaign) closed() {
	c.t.Helper()
	for _, p := range []place{
		{"commenting", "POST", "/comments", 2, after},
		{"closing", "PATCH", "/pulls/", 2, before},
		{"removing a branch", "POST", "/git-receive-pack", 2, after},
	} {
		cmd, stdout := c.start("close")
		reached := false
		c.g.at(p, func() {
			reached = true
			_ = cmd.Process.Kill()
		})
		err := cmd.Run()
		c.heard.Write(stdout.Bytes())
		if !reached || err == nil {
			c.t.Fatalf("%s: not reached (%v)\n%s", p.name, err, c.heard.String())
		}
	}
	c.finish("close")
	c.everywhere(func(repository string, s sample) {
		pulls, branches := c.pulls(repository), c.branches(repository)
		switch repository {
		case "acme/svc-01":
			if len(branches) != 1 || pulls[0]["state"] != "open" {
				c.t.Errorf("what is somebody's was withdrawn: %v", branches)
			}
			return
		case "acme/svc-02", "acme/svc-03", "acme/human-branch":
			return
		}
		if len(pulls) > 1 || len(branches) > 0 {
			c.t.Errorf("%s: %d pull requests, branches %v", repository, len(pulls), branches)
		}
		for _, p := range pulls {
			comments := c.s.list(fmt.Sprintf("/repos/%s/issues/%v/comments", repository, p["number"]))
			if p["state"] != "closed" || p["merged"] != false || len(comments) != 1 && repository != "acme/svc-06" {
				c.t.Errorf("%s: %v, with %d comments", repository, p["state"], len(comments))
			}
		}
	})
	// And a run after it does not begin again.
	c.finish("run")
	c.everywhere(func(repository string, _ sample) {
		for _, p := range c.pulls(repository) {
			if p["state"] == "open" && repository != "acme/svc-01" {
				c.t.Errorf("%s was opened again", repository)
			}
		}
	})
}

// secret looks for the token in all that a campaign has said and left.
func (c *campaign) secret() {
	c.t.Helper()
	if bytes.Contains(c.heard.Bytes(), []byte(c.token)) {
		c.t.Error("ctxmend said the token")
	}
	err := filepath.WalkDir(c.dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(name)
		if err == nil && bytes.Contains(text, []byte(c.token)) {
			c.t.Errorf("the token is in %s", name)
		}
		return err
	})
	if err != nil {
		c.t.Fatal(err)
	}
}
