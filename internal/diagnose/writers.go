package diagnose

// writer is how one JSON library may spell a document: any of the layouts with any
// of the orders, strings and numbers.
type writer struct {
	name    string // empty where nobody's name says more than the features do
	layouts []layout
	orders  []order
	strings []stringStyle
	numbers []numberStyle
}

// writers returns the writers, likeliest first; one library has several rows, its
// defaults before its options.
func writers() []writer {
	const (
		js      = "JSON.stringify"
		python  = "Python's json.dumps"
		golang  = "Go's json.Marshal"
		php     = "PHP's json_encode"
		ruby    = "Ruby's JSON"
		rails   = "Rails' to_json"
		jackson = "Java's Jackson"
		gson    = "Java's Gson"
		dotNet  = ".NET's System.Text.Json"
	)
	type (
		layouts = []layout
		orders  = []order
		styles  = []stringStyle
		numbers = []numberStyle
	)
	every := layouts{compact, twoSpace, fourSpace, tabs, pythonSeparators, jacksonPretty}
	pretty := layouts{twoSpace, fourSpace, tabs}
	readOrSorted := orders{orderRead, orderSorted}
	allPHP := styles{stringsPHP, stringsPHPPlainSlashes, stringsPHPPlainUnicode, stringsPHPPlain}
	return []writer{
		{js, layouts{compact, twoSpace}, orders{orderES}, styles{stringsJS}, numbers{numbersJS}},
		{python, layouts{pythonSeparators, compact}, orders{orderRead}, styles{stringsPythonASCII, stringsPlain}, numbers{numbersPython}},
		{"", layouts{compact, twoSpace}, orders{orderGiven}, styles{stringsAsGiven}, numbers{numbersAsGiven}},
		{php, layouts{compact}, orders{orderRead}, allPHP, numbers{numbersPHP}},
		{golang, layouts{compact}, orders{orderSorted, orderRead}, styles{stringsGoHTML}, numbers{numbersGo, numbersAsGiven}},
		{"", every, orders{orderGiven}, styles{stringsAsGiven}, numbers{numbersAsGiven}},
		{"", layouts{twoSpace, compact, pythonSeparators}, orders{orderGiven}, styles{stringsAsGiven, stringsJS},
			numbers{numbersTwoDecimals, numbersTwoDecimalsOfFractions, numbersOneDecimal}},
		{"", layouts{twoSpace, compact, pythonSeparators}, orders{orderDocumented}, styles{stringsAsGiven, stringsJS},
			numbers{numbersTwoDecimals, numbersAsGiven, numbersTwoDecimalsOfFractions, numbersOneDecimal}},
		{ruby, layouts{compact, twoSpace, oldRubyPretty}, orders{orderRead}, styles{stringsPlain}, numbers{numbersRuby}},
		{rails, layouts{compact}, orders{orderRead}, styles{stringsRails}, numbers{numbersRuby}},
		{jackson, layouts{compact, jacksonPretty}, orders{orderRead}, styles{stringsJackson, stringsJacksonBytes},
			numbers{numbersJava, numbersBigDecimal, numbersBigDecimalStripped}},
		{gson, layouts{compact, twoSpace}, orders{orderRead}, styles{stringsGsonHTML}, numbers{numbersAsGiven, numbersGson}},
		{python, layouts{pythonSeparators, compact}, orders{orderSorted}, styles{stringsPythonASCII, stringsPlain}, numbers{numbersPython}},
		{python, layouts{fourSpace, twoSpace}, readOrSorted, styles{stringsPythonASCII, stringsPlain}, numbers{numbersPython}},
		{js, layouts{fourSpace, tabs}, orders{orderES}, styles{stringsJS}, numbers{numbersJS}},
		{js, layouts{compact, twoSpace}, orders{orderUTF16, orderSortedES}, styles{stringsJS}, numbers{numbersJS}},
		{php, layouts{compact}, orders{orderRead, orderPHPArray}, allPHP, numbers{numbersPHP, numbersPHPFraction}},
		{php, layouts{fourSpace}, orders{orderRead, orderPHPArray}, allPHP, numbers{numbersPHP, numbersPHPFraction}},
		{dotNet, layouts{compact, twoSpace}, orders{orderGiven}, styles{stringsDotNet}, numbers{numbersAsGiven, numbersDotNet}},
		{golang, layouts{compact}, orders{orderSorted, orderRead}, styles{stringsGo}, numbers{numbersGo, numbersAsGiven}},
		{golang, layouts{compact}, orders{orderGiven}, styles{stringsAsGivenHTML}, numbers{numbersAsGiven}},
		{golang, pretty, orders{orderSorted, orderRead}, styles{stringsGoHTML, stringsGo}, numbers{numbersGo, numbersAsGiven}},
		{jackson, layouts{compact, jacksonPretty}, orders{orderRead, orderUTF16}, styles{stringsJackson, stringsJacksonBytes, stringsJacksonASCII},
			numbers{numbersJava, numbersBigDecimal, numbersBigDecimalStripped}},
		{gson, layouts{compact, twoSpace}, orders{orderRead}, styles{stringsGsonHTML, stringsGson}, numbers{numbersAsGiven, numbersGson}},
	}
}
