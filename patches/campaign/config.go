package campaign

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	_ "embed"

	"github.com/ctxmend/ctxmend/internal/config"
)

// A Config is the content of a campaign.yaml.
type Config struct {
	Version     int          `yaml:"version" enum:"1" doc:"version of this format"`
	Name        Name         `yaml:"name" required:"true" doc:"name of the campaign: it is part of branch names and tells campaigns of one queue apart"`
	Forge       ForgeConfig  `yaml:"forge" doc:"where the repositories are hosted"`
	Targets     Targets      `yaml:"targets" required:"true" doc:"which repositories; what several settings choose is put together"`
	Rules       []string     `yaml:"rules" doc:"rules that run instead of the default ones"`
	SkipRules   []string     `yaml:"skip_rules" doc:"rules that do not run"`
	Level       string       `yaml:"level" enum:"safe,review" doc:"how far fixes go: safe, or review for those that may change behaviour or exported API"`
	Keys        KeysConfig   `yaml:"keys" doc:"what new keys look like"`
	API         string       `yaml:"api" enum:"preserve,break" doc:"what a new parameter does to exported functions of importable packages"`
	Shard       Sharding     `yaml:"shard" doc:"what one pull request holds"`
	Branch      BranchPrefix `yaml:"branch" doc:"what branch names begin with; ctxmend/ by default"`
	Commit      CommitConfig `yaml:"commit" doc:"what commits look like"`
	PullRequest PullConfig   `yaml:"pull_request" doc:"what pull requests look like"`
	Verify      Verification `yaml:"verify" doc:"what is run on a change, in a sandbox, besides the type check that is always made"`
	Limits      Limits       `yaml:"limits" doc:"how much at once"`
	Canary      Canary       `yaml:"canary" doc:"repositories that go first"`
	Window      Window       `yaml:"window" doc:"when branches are pushed and pull requests opened"`

	// Dir is where the file lies: what file names in it are relative to.
	Dir string `yaml:"-"`
}

// ForgeConfig says where repositories are hosted.
type ForgeConfig struct {
	Kind      string   `yaml:"kind" enum:"none,github,gitlab,gitea,forgejo" doc:"none for local directories: branches are pushed, and no pull requests opened"`
	URL       ForgeURL `yaml:"url" doc:"base URL of the forge; that of github.com or gitlab.com by default"`
	TokenEnv  string   `yaml:"token_env" doc:"environment variable with the token; GITHUB_TOKEN, GITLAB_TOKEN or GITEA_TOKEN by default"`
	TokenFile string   `yaml:"token_file" doc:"file with the token instead"`
}

// A ForgeURL is an address without credentials.
type ForgeURL string

// Check implements config.Checker.
func (u ForgeURL) Check() error {
	s := string(u)
	if !strings.HasPrefix(s, "https://") && !strings.HasPrefix(s, "http://") {
		return errors.New("is not the address of a forge: write https://git.example.com")
	}
	if strings.Contains(s, "@") {
		return errors.New("has credentials in it: the token comes from the environment or a file")
	}
	return nil
}

// Targets choose repositories.
type Targets struct {
	Repositories []RepositoryName `yaml:"repositories" doc:"full names on the forge: owner/name"`
	Directories  []string         `yaml:"directories" doc:"git repositories on this machine, relative to this file; a pattern such as repos/* names several"`
	File         string           `yaml:"file" doc:"file with a full name or a directory that begins with . or / in each line"`
	Organization string           `yaml:"organization" doc:"all repositories of an organisation, a user, or a GitLab group with its subgroups"`
	Topic        string           `yaml:"topic" doc:"all repositories with a topic"`
	Search       string           `yaml:"search" doc:"all that a search in the forge's own language finds"`
	Exclude      []config.Glob    `yaml:"exclude" doc:"names to leave out, as in .gitignore"`
	Forks        bool             `yaml:"forks" doc:"whether forks are worked on"`
	MaxSize      int              `yaml:"max_size" min:"1" doc:"megabytes that a clone may take"`
}

// KeysConfig says what new keys look like.
type KeysConfig struct {
	Style     string `yaml:"style" enum:"auto,struct,string,enum" doc:"kind of key"`
	Accessors string `yaml:"accessors" enum:"auto,always,never" doc:"whether keys get accessor functions"`
}

// Sharding says what one pull request holds.
type Sharding struct {
	By       string `yaml:"by" enum:"unit,rule,owner,directory,all" doc:"one pull request per unit, rule, CODEOWNERS owner, directory, or one for all (the default)"`
	Depth    int    `yaml:"depth" min:"1" doc:"how many directories deep, for directory; 1 by default"`
	MaxUnits int    `yaml:"max_units" min:"1" doc:"most units in one pull request"`
	MaxFiles int    `yaml:"max_files" min:"1" doc:"most files in one pull request; a unit that changes more has one of its own"`
}

// CommitConfig says what commits look like.
type CommitConfig struct {
	Name    string   `yaml:"name" doc:"author and committer; ctxmend by default"`
	Email   Email    `yaml:"email" doc:"their address; ctxmend@localhost by default"`
	Message Template `yaml:"message" doc:"text/template of the message"`
}

// PullConfig says what pull requests look like.
type PullConfig struct {
	Title     Template `yaml:"title" doc:"text/template of the title"`
	Body      Template `yaml:"body" doc:"text/template of the body, in Markdown"`
	Labels    []string `yaml:"labels" doc:"labels"`
	Reviewers []string `yaml:"reviewers" doc:"users to review; team/NAME for a team"`
	Assignees []string `yaml:"assignees" doc:"users who are assigned"`
	Draft     bool     `yaml:"draft" doc:"whether they are drafts"`
}

// Verification says what is run on a change.
type Verification struct {
	Build   bool     `yaml:"build" doc:"go build ./..."`
	Vet     bool     `yaml:"vet" doc:"go vet ./..."`
	Test    bool     `yaml:"test" doc:"go test ./..."`
	Command []string `yaml:"command" doc:"a command with its arguments"`
	Network bool     `yaml:"network" doc:"whether they may use the network"`
	Time    Duration `yaml:"time" doc:"how long each may take; 10m by default"`
}

// Limits say how much at once.
type Limits struct {
	OpenPerOrganization int `yaml:"open_per_organization" min:"1" doc:"most open pull requests in one organisation"`
	OpenPerRepository   int `yaml:"open_per_repository" min:"1" doc:"most open pull requests in one repository; 1 by default"`
	PerHour             int `yaml:"per_hour" min:"1" doc:"most pull requests opened in an hour; 60 by default"`
	Clones              int `yaml:"clones" min:"1" doc:"most repositories that one process works on at once; 2 by default"`
}

// A Canary says which repositories go first.
type Canary struct {
	Repositories int    `yaml:"repositories" min:"1" doc:"the first so many repositories that need a change go first"`
	Until        string `yaml:"until" enum:"merged,approved" doc:"what all their pull requests have to be before the others follow; merged by default"`
}

// A Window says when a campaign may be heard.
type Window struct {
	Days  []string `yaml:"days" enum:"monday,tuesday,wednesday,thursday,friday,saturday,sunday" doc:"days of the week; every day by default"`
	Hours Hours    `yaml:"hours" doc:"from and until, 09:00-17:00; all day by default"`
	Zone  Zone     `yaml:"zone" doc:"time zone, Europe/Berlin; UTC by default"`
}

// A Name is the name of a campaign.
type Name string

var nameForm = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$`)

// Check implements config.Checker.
func (n Name) Check() error {
	if !nameForm.MatchString(string(n)) {
		return errors.New("is not a name: use lower case letters, digits and single hyphens, at most 40")
	}
	return nil
}

// A RepositoryName is a full name on a forge.
type RepositoryName string

var repositoryForm = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_.][A-Za-z0-9_.-]*)+$`)

// Check implements config.Checker.
func (n RepositoryName) Check() error {
	if !repositoryForm.MatchString(string(n)) || strings.Contains(string(n), "/../") {
		return errors.New("is not the name of a repository: write owner/name")
	}
	return nil
}

// A BranchPrefix is what branch names begin with.
type BranchPrefix string

var prefixForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]*(/[A-Za-z0-9][A-Za-z0-9_-]*)*/?$`)

// Check implements config.Checker.
func (p BranchPrefix) Check() error {
	if !prefixForm.MatchString(string(p)) {
		return errors.New("cannot begin a branch: use letters, digits, - and /, as in bots/ctxmend/")
	}
	return nil
}

// An Email is the address of a committer.
type Email string

// Check implements config.Checker.
func (e Email) Check() error {
	if strings.Count(string(e), "@") != 1 || strings.ContainsAny(string(e), "<> \t\n") {
		return errors.New("is not an address")
	}
	return nil
}

// A Duration is a length of time as Go writes it.
type Duration string

// Check implements config.Checker.
func (d Duration) Check() error {
	if v, err := time.ParseDuration(string(d)); err != nil || v <= 0 {
		return errors.New("is not a length of time: write 90s, 10m or 1h30m")
	}
	return nil
}

// Value returns it, or what stands for none.
func (d Duration) Value(none time.Duration) time.Duration {
	if v, err := time.ParseDuration(string(d)); err == nil {
		return v
	}
	return none
}

// Hours are a span of the day.
type Hours string

var hoursForm = regexp.MustCompile(`^([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]|24):([0-5]\d)$`)

// Check implements config.Checker.
func (h Hours) Check() error {
	if from, until, ok := h.span(); !ok || from == until || until > 24*60 {
		return errors.New("is not a span of the day: write 09:00-17:00, or 22:00-05:00 for a night")
	}
	return nil
}

// span returns it in minutes of the day.
func (h Hours) span() (from, until int, ok bool) {
	m := hoursForm.FindStringSubmatch(string(h))
	if m == nil {
		return 0, 0, false
	}
	var n [4]int
	for i := range n {
		n[i], _ = strconv.Atoi(m[i+1])
	}
	return n[0]*60 + n[1], n[2]*60 + n[3], true
}

// A Zone is a time zone by its name.
type Zone string

// Check implements config.Checker.
func (z Zone) Check() error {
	if _, err := time.LoadLocation(string(z)); err != nil || z == "" || z == "Local" {
		return errors.New("is not a time zone: write UTC or Europe/Berlin")
	}
	return nil
}

//go:embed example.yaml
var example string

// Example returns a campaign.yaml that makes every setting there is.
func Example() string { return example }

// Schema returns the JSON schema of campaign.yaml, for editors.
func Schema(rules []string) []byte {
	return config.SchemaOf(reflect.TypeFor[Config](), "a campaign of ctxmend", rules)
}

// Read reads a campaign.yaml. Rules are the names of those there are. The error is a [config.Errors]
// when the content is wrong.
func Read(name string, rules []string) (*Config, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	dir, err := filepath.Abs(filepath.Dir(name))
	if err != nil {
		return nil, err
	}
	c, err := Parse(data, rules)
	if err != nil {
		return nil, err
	}
	c.Dir = dir
	return c, nil
}

// Parse reads the content of a campaign.yaml.
func Parse(data []byte, rules []string) (*Config, error) {
	c := &Config{}
	values, err := config.Decode(data, c, rules)
	if err != nil {
		return nil, err
	}
	if len(values) == 0 {
		return nil, config.Errors{{Line: 1, Message: "the file is empty; ctxmend campaign init writes one to begin with"}}
	}
	if wrong := c.check(values, rules); len(wrong) > 0 {
		return nil, wrong
	}
	c.complete()
	return c, nil
}

// check finds what no setting shows by itself.
func (c *Config) check(values map[string]config.Value, rules []string) config.Errors {
	var wrong config.Errors
	say := func(path, format string, args ...any) *config.Error {
		v, ok := values[path]
		if !ok {
			v.Line = 1
		}
		e := &config.Error{Line: v.Line, Column: v.Column, Message: fmt.Sprintf(format, args...)}
		wrong = append(wrong, e)
		return e
	}
	for _, path := range []string{"rules", "skip_rules"} {
		for _, name := range values[path].Words {
			if !slices.Contains(rules, name) {
				e := say(path, "unknown rule %q", name)
				e.Word, e.Known = name, rules
			}
		}
	}
	t := c.Targets
	remote := len(t.Repositories) > 0 || t.Organization != "" || t.Topic != "" || t.Search != ""
	if !remote && len(t.Directories) == 0 && t.File == "" {
		say("targets", "targets choose nothing")
	}
	if c.Forge.Kind == "" || c.Forge.Kind == "none" {
		if remote {
			say("forge.kind", "targets name repositories of a forge, and forge.kind does not say which forge")
		}
	} else if len(t.Directories) > 0 {
		say("targets.directories", "directories of this machine have no pull requests: a campaign has them or repositories of a forge")
	}
	if k := c.Forge.Kind; (k == "gitea" || k == "forgejo") && c.Forge.URL == "" {
		say("forge.kind", "forge.url is missing: there is no one %s", k)
	}
	if c.Shard.Depth > 0 && c.Shard.By != "directory" {
		say("shard.depth", "shard.depth means nothing unless shard.by is directory")
	}
	return wrong
}

// complete fills in the defaults.
func (c *Config) complete() {
	set := func(s *string, value string) {
		if *s == "" {
			*s = value
		}
	}
	set(&c.Forge.Kind, "none")
	set(&c.Level, "safe")
	set(&c.Shard.By, "all")
	set((*string)(&c.Branch), "ctxmend/")
	if !strings.HasSuffix(string(c.Branch), "/") {
		c.Branch += "/"
	}
	set(&c.Commit.Name, "ctxmend")
	set((*string)(&c.Commit.Email), "ctxmend@localhost")
	set(&c.Canary.Until, "merged")
	set((*string)(&c.Window.Zone), "UTC")
	if c.Forge.TokenFile == "" {
		set(&c.Forge.TokenEnv, map[string]string{"github": "GITHUB_TOKEN", "gitlab": "GITLAB_TOKEN", "gitea": "GITEA_TOKEN", "forgejo": "GITEA_TOKEN"}[c.Forge.Kind])
	}
	atLeast := func(n *int, value int) {
		if *n == 0 {
			*n = value
		}
	}
	atLeast(&c.Shard.Depth, 1)
	atLeast(&c.Limits.OpenPerRepository, 1)
	atLeast(&c.Limits.PerHour, 60)
	atLeast(&c.Limits.Clones, 2)
	atLeast(&c.Targets.MaxSize, 1024)
}

// Options are what the settings mean to an analysis.
func (c *Config) Options() AnalysisOptions {
	return AnalysisOptions{
		Rules: c.Rules, SkipRules: c.SkipRules, Level: c.Level,
		KeyStyle: c.Keys.Style, Accessors: c.Keys.Accessors, API: c.API,
	}
}

// digest changes with every setting that what is planned depends on.
func (c *Config) digest() string {
	data, err := json.Marshal([]any{c.Name, c.Options(), c.Shard, c.Branch, c.Commit, c.PullRequest, c.Verify})
	if err != nil {
		panic(err) // lists, numbers and text
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:8])
}
