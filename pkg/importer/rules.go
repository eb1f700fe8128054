package importer

// rules lists everything that is looked for, one function for each family of
// mistakes. They see the whole inventory and change nothing.
func rules() []func(*inventory) []Problem {
	return []func(*inventory) []Problem{
		ruleTypes,
		ruleFields,
		ruleKeys,
		ruleDrift,
		ruleFormats,
		ruleDuplicates,
		ruleReferences,
		ruleTemplates,
		ruleCycles,
		ruleBoot,
		ruleNetworks,
		ruleAddresses,
		ruleNameservers,
		ruleDomain,
		ruleNames,
		ruleServices,
		ruleLabels,
		ruleFirewalls,
		ruleCoverage,
		ruleCertificates,
		ruleCommands,
		ruleCAName,
		ruleCAMounts,
		ruleSecrets,
		ruleVerification,
		ruleStorage,
		ruleVolumes,
		ruleScripts,
		ruleFiles,
		ruleStacks,
		ruleEndpoints,
	}
}
