package census

// UnitName names the key for the IDs of units: no two keys share one.
func (k *Key) UnitName() string {
	name := k.Name()
	if k.Basic != nil && k.Value[0] != '"' {
		name = k.Type + " " + name
	}
	if k.Part != "" {
		name += "@" + k.Part
	}
	return name
}
