package census

import "github.com/ctxmend/ctxmend/rules/program"

// Unpaired reports a key that the world only writes, or only reads, and that nobody else can read or write:
// neither a dependency, nor a look-up whose key cannot be told, nor a file that was not type-checked, nor, by a name,
// importers. A key of built-in type that importers might spell is unpaired all the same.
// What tests alone do is left out: a value may be there to tell contexts apart, a look-up to find nothing. So are the
// halves of a split key, keys in the middle of a migration, and keys tied to others that are paired.
func (c *Census) Unpaired(k *Key) (role Role, ok bool) {
	if onlyTests(k) || c.SplitOf(k) != nil || c.migrating(k) {
		return 0, false
	}
	if k.Family != nil {
		for _, other := range k.Family.Keys {
			if _, ok := c.unpaired(other); !ok {
				return 0, false
			}
		}
	}
	return c.unpaired(k)
}

func (c *Census) unpaired(k *Key) (role Role, ok bool) {
	if !hasWorldPoint(k) {
		return 0, false
	}
	writer, reader := hasRole(k, Writer), hasRole(k, Reader)
	if writer == reader || !singular(k) {
		return 0, false
	}
	role, missing := Writer, Reader
	if reader {
		role, missing = Reader, Writer
	}
	if c.Elsewhere(k, missing) != nil || c.Importers(k) != nil {
		return 0, false
	}
	return role, true
}

// Absent reports a key that tests alone look up and that nobody stores: they make sure of that, and would no longer under a
// type of its own.
func (c *Census) Absent(k *Key) bool {
	return onlyTests(k) && !hasRole(k, Writer) && singular(k) && c.Elsewhere(k, Writer) == nil
}

// migrating reports whether a key is used beside one of the same value and another type, so that the
// one can replace the other.
func (c *Census) migrating(k *Key) bool {
	if k.Value == "" {
		return false
	}
	c.Splits()
	for _, other := range c.byValue[k.Value] {
		if (other == k || k.Basic == nil) && c.Staged(other) != nil {
			return true
		}
	}
	return false
}

// singular reports whether the census tells the key from others of its type.
func singular(k *Key) bool {
	switch {
	case k.Value != "" || k.Object != nil:
		return true
	case k.GoType == nil:
		return false
	}
	return isEmptyStruct(k.GoType)
}

func onlyTests(k *Key) bool {
	for _, s := range k.Sites {
		if !s.File.Test {
			return false
		}
	}
	return true
}

// Importable reports whether packages outside the world can import a package.
func Importable(p *program.Package) bool {
	return p.Name != "main" && !p.XTest && !program.IsInternal(p.Path)
}

// InProgram reports whether a main package of the world contains a package.
func (c *Census) InProgram(p *program.Package) bool {
	for _, cfg := range c.Program.Configs {
		for _, main := range cfg.Packages {
			if main.World && main.Name == "main" && (main.Path == p.Path || main.ImportsTransitively(p.Path)) {
				return true
			}
		}
	}
	return false
}
