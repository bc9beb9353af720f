// The account of the tables, of the Functions host and of the deployed package. Nobody has a key to it.
param name string
param location string
param tags object
@description('Of Baton.')
param principalId string
param authors string[]
param operators string[]
param workspaceId string
param isPrivate bool
param lock bool

var tablePrefix = 'Baton'
var container = 'packages'
var roles = {
  // What the Functions host needs for its leases, and the platform for the package.
  blobOwner: 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b' // Storage Blob Data Owner
  tableContributor: '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3' // Storage Table Data Contributor
  tableReader: '76199698-9eea-4c19-bc75-cec21354c6b6' // Storage Table Data Reader
}

resource account 'Microsoft.Storage/storageAccounts@2025-01-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: 'Standard_LRS' }
  properties: {
    allowSharedKeyAccess: false
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: isPrivate ? 'Disabled' : 'Enabled'
    networkAcls: {
      defaultAction: isPrivate ? 'Deny' : 'Allow'
      bypass: 'AzureServices'
    }
  }
}

// The record of what was done is what keeps a VM from being redeployed twice.
resource deletionLock 'Microsoft.Authorization/locks@2020-05-01' = if (lock) {
  name: 'keep-the-record'
  scope: account
  properties: {
    level: 'CanNotDelete'
    notes: 'Its tables remember which maintenance was done: without them Baton might do one again.'
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2025-01-01' = {
  parent: account
  name: 'default'
}

resource packages 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-01-01' = {
  parent: blobs
  name: container
  properties: { publicAccess: 'None' }
}

resource tableService 'Microsoft.Storage/storageAccounts/tableServices@2025-01-01' = {
  parent: account
  name: 'default'
}

resource tables 'Microsoft.Storage/storageAccounts/tableServices/tables@2025-01-01' = [
  for table in ['Policies', 'Jobs', 'Outcomes', 'Alerts', 'Patches', 'Pauses']: {
    parent: tableService
    name: '${tablePrefix}${table}'
  }
]

resource grants 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for role in [roles.blobOwner, roles.tableContributor]: {
    name: guid(account.id, principalId, role)
    scope: account
    properties: {
      principalId: principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
    }
  }
]

resource operatorsWrite 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for person in operators: {
    name: guid(account.id, person, roles.tableContributor)
    scope: account
    properties: {
      principalId: person
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.tableContributor)
    }
  }
]

resource authorsRead 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for person in authors: {
    name: guid(account.id, person, roles.tableReader)
    scope: account
    properties: {
      principalId: person
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.tableReader)
    }
  }
]

resource authorsWrite 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for person in authors: {
    name: guid(tables[0].id, person, roles.tableContributor)
    scope: tables[0] // the policies
    properties: {
      principalId: person
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.tableContributor)
    }
  }
]

// Who changed a policy: an author, or Baton its status columns.
resource audit 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'audit'
  scope: tableService
  properties: {
    workspaceId: workspaceId
    logs: [
      { category: 'StorageWrite', enabled: true }
      { category: 'StorageDelete', enabled: true }
    ]
  }
}

output id string = account.id
output blobEndpoint string = account.properties.primaryEndpoints.blob
output tablesEndpoint string = account.properties.primaryEndpoints.table
output packagesUrl string = '${account.properties.primaryEndpoints.blob}${container}'
output tablePrefix string = tablePrefix
