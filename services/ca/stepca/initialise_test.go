package stepca_test

func initialiseForEver() int { return 0 }
