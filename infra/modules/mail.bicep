// Mail by Communication Services, from a domain of Azure's or a verified one of your own.
param name string
param tags object
param dataLocation string
param domainId string
@description('Of Baton.')
param principalId string
param workspaceId string

// Sending needs the control plane's rights, and Communication Services is said to honour no custom role, so
// Baton gets Communication and Email Service Owner, on this one resource.
var emailOwner = '09976791-48a7-449e-bb21-39d1a415f350'

resource email 'Microsoft.Communication/emailServices@2025-05-01' = if (empty(domainId)) {
  name: 'acsemail-${name}' // the framework has no abbreviation for it
  location: 'global'
  tags: tags
  properties: { dataLocation: dataLocation }
}

resource azureDomain 'Microsoft.Communication/emailServices/domains@2025-05-01' = if (empty(domainId)) {
  parent: email
  name: 'AzureManagedDomain'
  location: 'global'
  tags: tags
  properties: {
    domainManagement: 'AzureManaged'
    userEngagementTracking: 'Disabled'
  }
}

resource communication 'Microsoft.Communication/communicationServices@2025-05-01' = {
  name: 'acs-${name}'
  location: 'global'
  tags: tags
  properties: {
    dataLocation: dataLocation
    disableLocalAuth: true
    linkedDomains: [empty(domainId) ? azureDomain.id : domainId]
  }
}

resource grant 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(communication.id, principalId, emailOwner)
  scope: communication
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', emailOwner)
  }
}

resource audit 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'audit'
  scope: communication
  properties: {
    workspaceId: workspaceId
    logs: [
      { category: 'EmailSendMailOperational', enabled: true }
      { category: 'EmailStatusUpdateOperational', enabled: true }
    ]
  }
}

output url string = 'acs://${communication.properties.hostName}'
output sender string = empty(domainId) ? 'DoNotReply@${azureDomain!.properties.mailFromSenderDomain}' : ''
