package program
import ("testing";"fmt";"os";"sort")
func TestZZ(t *testing.T){ p, err := Load(t.Context(), Options{Dir: os.Getenv("ZZ"), Tests: true}); if err != nil { t.Fatal(err) }
type e struct{n int; s string}
var l []e
tot, world, dep := 0,0,0
for _, q := range p.Configs[0].Packages { sz := 0; for _, f := range q.Files { sz += f.state.size }; if q.needed && !q.Bodies { dep += sz }; if q.World { world += sz }; if q.Bodies && !q.World { l = append(l, e{sz, q.Path}); tot += sz } }
sort.Slice(l, func(i, j int) bool { return l[i].n > l[j].n })
fmt.Println("bodies", tot, "world", world, "dep", dep)
for i, x := range l { if i < 25 { fmt.Println(x.n, x.s) } } 
l = nil
for _, q := range p.Configs[0].Packages { sz := 0; for _, f := range q.Files { sz += f.state.size }; if q.needed && !q.Bodies { l = append(l, e{sz, q.Path})} }
sort.Slice(l, func(i, j int) bool { return l[i].n > l[j].n })
for i, x := range l { if i < 25 { fmt.Println(x.n, x.s) } } 
}
