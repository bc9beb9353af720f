// Baton's rights on the VMs of a subscription. The three files of this folder differ in their scope alone.
targetScope = 'subscription'

@description('Of Baton: the output principalId of baton.bicep, BATON_PRINCIPAL_ID of main.bicep.')
param principalId string

@description('Whether Baton may act, or see alone.')
param act bool = false

@description('Whether it may act on patches too.')
param patching bool = false

var actions = loadJsonContent('actions.json')
var observe = {
  name: 'observe'
  actions: actions.observe
}
var change = {
  name: 'act'
  actions: concat(actions.act, patching ? actions.patch : [])
}
var roles = act ? [observe, change] : [observe]

resource definitions 'Microsoft.Authorization/roleDefinitions@2022-04-01' = [
  for role in roles: {
    name: guid(subscription().id, 'baton', role.name)
    properties: {
      // Unique in the whole tenant, hence the scope in it.
      roleName: 'Baton ${role.name} (${subscription().subscriptionId})'
      description: 'The actions that Baton calls on Resource Manager to ${role.name}, and no other.'
      type: 'CustomRole'
      assignableScopes: [subscription().id]
      permissions: [{ actions: role.actions, notActions: [] }]
    }
  }
]

resource assignments 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (role, i) in roles: {
    name: guid(subscription().id, principalId, role.name)
    properties: {
      principalId: principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: definitions[i].id
    }
  }
]
