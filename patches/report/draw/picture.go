package draw

// A Picture is what is to be drawn.
type Picture struct {
	// Title and Desc tell those who cannot see it what it shows.
	Title, Desc string
	Boxes       []*Box
	Lines       []*Line
	// Legend explains the marks and lines, as far as they occur. Notes stand under it: what was left out.
	Legend []Entry
	Notes  []string
}

// A Box is a titled list of rows.
type Box struct {
	// Title is its heading, Tip what is shown of it on demand.
	Title, Tip string
	// Class tells the style: "", "outside", "misuse", "key".
	Class string
	// ID names the box in the document; "" for none.
	ID   string
	Rows []*Row
	// Column is the column it stands in, counted from 1; 0 leaves that to the layout.
	Column int

	// passes is set for a place where lines pass a column.
	passes        bool
	index         int
	column        int
	x, y          float64
	width, height float64
	// edge is the right side of the column.
	edge        float64
	left, right []*wire
}

// A Row is a line of text in a box where lines can begin and end.
type Row struct {
	// Text is followed by Side, which is less important.
	Text, Side, Tip string
	// Mark is the shape before the text: "enters", "has", "none", "born", "lost", "" for no shape.
	Mark string
	// ID names the row in the document; "" for none.
	ID string
	// Muted rows say something about what is not shown.
	Muted bool
}

// A Line leads from one row to another, or from and to a whole box where the row is -1.
type Line struct {
	From, To       *Box
	FromRow, ToRow int
	// Class tells the style: "handed", "fresh", "none", "writes", "reads".
	Class string
	Tip   string
	// Count is how often it stands for something; more are thicker.
	Count int
}

// An Entry explains a mark, or the class of a line.
type Entry struct{ Mark, Class, Text string }

// Metrics of the drawing, in pixels.
const (
	cell       = 7.3 // width of a letter of fontSize
	fontSize   = 12
	rowHeight  = 19
	headHeight = 25
	padding    = 10
	markWidth  = 16
	boxGap     = 18
	wireGap    = 9
	margin     = 24
	// maxCells is how much of a title or a row is shown.
	maxCells = 44
)
