// The Function App on Flex Consumption: pay per use, scale to zero, a virtual network if wanted.
param name string
param location string
param tags object
param identityId string
param clientId string
param packagesUrl string
param blobEndpoint string
param tablesEndpoint string
param insightsConnectionString string
@description('Empty: no virtual network.')
param subnetId string
param packageUri string
param instanceMemoryMB int
@description('Of Baton, beside those that its identity and its neighbours here give. Among them may be a relay with its password.')
@secure()
param settings object

// The version that every test of the project runs on, of those that Flex Consumption and azure-functions 1.x
// share (ADR 6); supported until October 2027.
var pythonVersion = '3.11'

var platform = {
  // The host's own storage, by the identity.
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: clientId
  AzureWebJobsStorage__blobServiceUri: blobEndpoint
  AzureWebJobsStorage__tableServiceUri: tablesEndpoint
  APPLICATIONINSIGHTS_CONNECTION_STRING: insightsConnectionString
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${clientId};Authorization=AAD'
  // The triggers' connection; the app itself reads the client id too.
  BATON_BUS__credential: 'managedidentity'
  BATON_BUS__clientId: clientId
}
var identity = {
  AZURE_CLIENT_ID: clientId
  BATON_TABLES__endpoint: tablesEndpoint
}

resource plan 'Microsoft.Web/serverfarms@2024-11-01' = {
  name: 'asp-${name}'
  location: location
  tags: tags
  kind: 'functionapp'
  sku: {
    name: 'FC1'
    tier: 'FlexConsumption'
  }
  properties: { reserved: true }
}

resource app 'Microsoft.Web/sites@2024-11-01' = {
  name: 'func-${name}'
  location: location
  tags: tags
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identityId}': {} }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    keyVaultReferenceIdentity: identityId
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    siteConfig: {
      minTlsVersion: '1.2'
      ftpsState: 'Disabled'
      appSettings: [
        for setting in items(union(platform, identity, settings)): {
          name: setting.key
          value: setting.value
        }
      ]
    }
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: packagesUrl
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      scaleAndConcurrency: {
        maximumInstanceCount: 40 // the least that may be asked for
        instanceMemoryMB: instanceMemoryMB
      }
      runtime: {
        name: 'python'
        version: pythonVersion
      }
    }
  }
}

// Deploying takes an Entra token; there is no publishing password.
resource publishing 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-11-01' = [
  for way in ['scm', 'ftp']: {
    parent: app
    name: way
    properties: { allow: false }
  }
]

// A released package holds its libraries already, so nothing is built in Azure.
// The shape is the one of https://learn.microsoft.com/azure/azure-functions/functions-infrastructure-as-code,
// which Bicep's own types do not know.
resource package 'Microsoft.Web/sites/extensions@2022-09-01' = if (!empty(packageUri)) {
  parent: app
  name: 'onedeploy'
  #disable-next-line BCP187
  properties: {
    packageUri: packageUri
    remoteBuild: false
  }
}

output name string = app.name
