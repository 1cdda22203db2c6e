package sam

// attachOptions are what a backend may say to a frontend at SESSION CREATE; see
// docs/sam-extension.md, "What is added".
var attachOptions = []Option{
	{Key: "SEND_STATUS", Value: yesOrNo, Since: SinceUs, By: ByFrontend, Meaning: "this session may ask for statuses"},
	{Key: "SEND_DRAIN", Value: yesOrNo, Since: SinceUs, By: ByFrontend, Meaning: "tell it of drains"},
	{Key: "SEND_LEASESETS", Value: yesOrNo, Since: SinceUs, By: ByFrontend, Meaning: "tell it of the router's LeaseSets"},
	{Key: "BACKEND", Value: "name", Since: SinceUs, By: ByFrontend, Meaning: "it is one of several backends"},
	{Key: "WEIGHT", Value: "0-65535", Since: SinceUs, By: ByFrontend, Meaning: "its share of what is new; default 1"},
	{Key: "STANDBY", Value: yesOrNo, Since: SinceUs, By: ByFrontend, Meaning: "it gets what is new only while no other does"},
}

var heardOption = Option{Key: "DESTINATION", Value: "b32", Required: true, Meaning: "the remote"}

// extensionRows are lines between a frontend and its backends.
var extensionRows = map[Kind]Row{
	KindSessionDrain: {
		Verb: "SESSION", Action: "DRAIN", From: FromServer, By: ByFrontend, Since: SinceUs,
		Meaning: "The router behind the frontend is being drained, or is no longer",
		Options: []Option{{Key: "ACTIVE", Value: yesOrNo, Required: true, Meaning: "whether it is"}},
	},
	KindSessionLeaseSet: {
		Verb: "SESSION", Action: "LEASESET", From: FromServer, By: ByFrontend, Since: SinceUs,
		Meaning: "The router was given a LeaseSet",
		Options: []Option{{Key: "PUBLISHED", Value: "seconds", Required: true, Meaning: "its date, since 1970"}},
	},
	KindSessionWeight: {
		Verb: "SESSION", Action: "WEIGHT", From: FromClient | FromServer, By: ByFrontend, Since: SinceUs, Reply: KindSessionWeight,
		Meaning: "Changes the backend's share of what is new; the answer has `RESULT`",
		Options: []Option{
			{Key: "RESULT", Value: "result", Meaning: "in the answer"},
			{Key: "VALUE", Value: "0-65535", Required: true, Meaning: "the share"},
			messageOption,
		},
	},
	KindSessionHeard: {
		Verb: "SESSION", Action: "HEARD", From: FromClient | FromServer, By: ByFrontend, Since: SinceUs,
		Meaning: "A remote was heard by this frontend: its backends tell each other", Options: []Option{heardOption},
	},
	KindSessionBegan: {
		Verb: "SESSION", Action: "BEGAN", From: FromClient, By: ByFrontend, Since: SinceUs,
		Meaning: "The backend has a stream whose beginning came by another frontend",
		Options: []Option{{Key: "ID", Value: "0-4294967295", Required: true, Meaning: "the stream ID of the remote's SYN"}, heardOption},
	},
}
