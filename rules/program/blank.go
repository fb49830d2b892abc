package program

func blankBodies(src []byte) {}
